"""Several operators about one chain: what a quorum makes of agreement, lies, silence and a chain that moves."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from chains.errors import ChainError
from chains.http import HttpTransport, Limits
from chains.ids import AssetId, account_id
from chains.model import Balance, Disagreement, DisagreementReason, Holding, Tier
from chains.network import network_of
from chains.panel import Survey, survey
from chains.providers import Provider
from chains.quorum import agree_on_balance
from tests.chains.simulated_evm import CHAIN, SimulatedNode, block_hash

ALICE = "0x" + "aa" * 20
BOB = "0x" + "bb" * 20
HOLDINGS = [Holding(account_id(f"{CHAIN}:{who}"), AssetId(f"{CHAIN}/slip44:60")) for who in (ALICE, BOB)]


@contextmanager
def operators(*nodes: SimulatedNode) -> Iterator[list[Provider]]:
    with ExitStack() as stack:
        yield [stack.enter_context(node.provider(f"operator-{number}")) for number, node in enumerate(nodes)]


def read(providers: list[Provider], minimum: int) -> Survey:
    return survey(network_of(CHAIN), providers, HttpTransport(Limits(tries=1, read=2, connect=2)), HOLDINGS, minimum)


def test_two_operators_who_agree_make_a_corroborated_balance() -> None:
    with operators(SimulatedNode({ALICE: 7}), SimulatedNode({ALICE: 7})) as providers:
        first, second = read(providers, 2).results
    assert isinstance(first, Balance)
    assert (first.units, first.tier, first.operators) == (7, Tier.CORROBORATED, ("operator-0", "operator-1"))
    assert isinstance(second, Balance)
    assert second.units == 0
    assert second.evidence


def test_one_operator_alone_is_only_an_observation() -> None:
    with operators(SimulatedNode({ALICE: 7})) as providers:
        result = read(providers, 1).results[0]
    assert isinstance(result, Balance)
    assert result.tier is Tier.OBSERVED


def test_two_endpoints_of_one_operator_count_once() -> None:
    with operators(SimulatedNode({ALICE: 7})) as (provider,), SimulatedNode({ALICE: 7}).provider("operator-0") as twin:
        survey_of_one = read([provider, twin], 2)
    assert survey_of_one.block is None
    assert all(isinstance(result, Disagreement) for result in survey_of_one.results)


def test_a_liar_among_three_makes_a_disagreement_that_keeps_every_answer() -> None:
    with operators(SimulatedNode({ALICE: 7}), SimulatedNode({ALICE: 7}), SimulatedNode({ALICE: 700})) as providers:
        first, second = read(providers, 2).results
    assert isinstance(first, Disagreement)
    assert first.reason is DisagreementReason.VALUES_DIFFER
    assert sorted(answer.units for answer in first.answers if answer.units is not None) == [7, 7, 700]
    assert isinstance(second, Balance)


def test_a_pruned_node_is_never_read_as_zero() -> None:
    with operators(SimulatedNode({ALICE: 7}), SimulatedNode({}, pruned=True)) as providers:
        result = read(providers, 2).results[0]
    assert isinstance(result, Disagreement)
    assert result.reason is DisagreementReason.TOO_FEW_ANSWERS
    assert any("missing trie node" in answer.failure for answer in result.answers)


def test_a_pruned_node_does_not_stop_the_two_that_answer() -> None:
    nodes = SimulatedNode({ALICE: 7}), SimulatedNode({ALICE: 7}), SimulatedNode({}, pruned=True)
    with operators(*nodes) as providers:
        result = read(providers, 2).results[0]
    assert isinstance(result, Balance)


def test_a_url_that_serves_another_chain_is_left_out_with_the_reason() -> None:
    with operators(SimulatedNode({ALICE: 7}), SimulatedNode({ALICE: 7}, chain="0x1")) as providers:
        found = read(providers, 1)
    assert [item.reason for item in found.exclusions] == ["serves eip155:1, not eip155:31337"]
    assert isinstance(found.results[0], Balance)


def test_operators_on_different_branches_name_no_common_block() -> None:
    with operators(SimulatedNode({ALICE: 7}), SimulatedNode({ALICE: 7}, branch="b")) as providers:
        found = read(providers, 2)
    assert found.block is None
    assert all(isinstance(result, Disagreement) for result in found.results)


def test_the_slower_operator_decides_the_height() -> None:
    with operators(SimulatedNode({ALICE: 7}, height=103), SimulatedNode({ALICE: 7}, height=101)) as providers:
        found = read(providers, 2)
    assert found.block is not None
    assert found.block.height == 101


@pytest.mark.parametrize("answers", [1, 2])
def test_a_reorganisation_while_or_right_after_reading_is_noticed_and_read_again(answers: int) -> None:
    node = SimulatedNode({ALICE: 7}, reorganise_after=answers)
    with operators(node) as providers:
        found = read(providers, 1)
    assert found.block is not None
    assert found.block.hash == block_hash(100, "b")
    assert isinstance(found.results[0], Balance)


def test_a_silent_operator_is_no_voice() -> None:
    with operators(SimulatedNode({ALICE: 7})) as providers:
        dead = Provider("operator-9", CHAIN, "json-rpc", url="http://127.0.0.1:1")
        found = read([*providers, dead], 2)
    assert found.block is None
    assert "cannot be reached" in found.exclusions[0].reason


def test_an_empty_quorum_is_refused_loudly() -> None:
    with pytest.raises(ChainError, match="quorum of 0"):
        agree_on_balance(HOLDINGS[0], None, [], 0)  # type: ignore[arg-type]
