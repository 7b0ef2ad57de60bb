"""A reorganisation between two reads on real nodes is noticed: the survey reads again there, or ends open."""

from collections.abc import Callable, Iterator

import pytest

from chains.doors import NetworkTransport
from chains.http import Limits
from chains.ids import AssetId
from chains.model import Balance, Disagreement, DisagreementReason, Holding
from chains.panel import ATTEMPTS, survey
from chains.providers import Provider
from chains.transport import Request, Response
from tests.live.anvil import AnvilHarness
from tests.live.anvil import harness as anvil_harness
from tests.live.bitcoind import NodeHarness, history_harness, knots_harness

Chain = AnvilHarness | NodeHarness
# What is asked to read balances on each dialect; the chain moves right after the first such answer.
BALANCES = (b"eth_getBalance", b"eth_call", b"scantxoutset", b"scanblocks")


class Moving:
    """Pass questions on, and let the chain move after each of the first `times` answers with balances."""

    def __init__(self, move: Callable[[], object], times: int) -> None:
        self._link, self._move, self.left = NetworkTransport(Limits(tries=1)), move, times

    def send(self, provider: Provider, request: Request) -> Response:
        answered = self._link.send(provider, request)
        if self.left and any(name in request.body for name in BALANCES):
            self.left -= 1
            self._move()
        return answered


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(anvil_harness, marks=pytest.mark.real_anvil, id="anvil"),
        pytest.param(knots_harness, marks=pytest.mark.real_bitcoind, id="knots"),
        pytest.param(history_harness, marks=pytest.mark.real_bitcoind, id="knots-history"),
    ],
)
def chain(request: pytest.FixtureRequest) -> Iterator[Chain]:
    with request.param() as harness:
        yield harness


def test_one_reorganisation_is_read_again_at_the_new_block(chain: Chain) -> None:
    holding = Holding(chain.fund(123_000), AssetId(chain.network.native_asset))
    moving = Moving(chain.reorganise, 1)
    found = survey(chain.network, [chain.provider], moving, [holding], 1)
    (balance,) = found.results
    assert moving.left == 0
    assert isinstance(balance, Balance)
    assert found.block is not None
    assert (balance.block, balance.units in (0, 123_000)) == (found.block, True)
    again = survey(chain.network, [chain.provider], NetworkTransport(Limits(tries=1)), [holding], 1)
    assert [one.units for one in again.results if isinstance(one, Balance)] == [balance.units]
    assert again.block == found.block


def test_a_chain_that_moves_at_every_read_ends_without_a_number(chain: Chain) -> None:
    holding = Holding(chain.fund(456_000), AssetId(chain.network.native_asset))
    found = survey(chain.network, [chain.provider], Moving(chain.reorganise, 10 * ATTEMPTS), [holding], 1)
    (result,) = found.results
    assert isinstance(result, Disagreement)
    assert result.reason in (DisagreementReason.BLOCK_CHANGED, DisagreementReason.TOO_FEW_ANSWERS)
