"""A drawn amount moves on real chains: in time, too late, another amount, paid by somebody else, not at all."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from chains.evm.abi import balance_of
from chains.evm.keccak import keccak256
from chains.http import HttpTransport, Limits
from chains.ids import AssetId, address_of
from chains.model import Holding
from chains.providers import Providers
from tests.live.anvil import AnvilHarness
from tests.live.anvil import harness as anvil_harness
from tests.live.bitcoind import NodeHarness, history_harness
from verifier.canonical import canonical_json
from verifier.errors import InputError
from verifier.movement import (
    MovementTest,
    MovementTests,
    Outcome,
    check_tests,
    draw_tests,
    movement_record,
    read_tests,
    tips,
)

LINK = HttpTransport(Limits(tries=1))
PAST, FUTURE = "2009-01-03T00:00:00Z", "2100-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def bitcoin() -> Iterator[NodeHarness]:
    with history_harness() as node:
        yield node


@pytest.fixture(scope="module")
def ethereum() -> Iterator[AnvilHarness]:
    with anvil_harness() as node:
        yield node


def drawn(node: NodeHarness | AnvilHarness, *holdings: Holding, deadline: str = FUTURE) -> MovementTests:
    blocks = tips({node.provider.chain}, Providers((node.provider,), 1), LINK)
    return draw_tests("test.example", holdings, blocks, PAST, deadline)


def outcomes(node: NodeHarness | AnvilHarness, tests: MovementTests) -> list[Outcome]:
    return [one.outcome for one in check_tests(tests, Providers((node.provider,), 1), LINK)]


def pay_itself(node: NodeHarness, account: str, units: int) -> None:
    """Spend a coin of the account and pay exactly `units` back to it."""
    address = address_of(account)  # type: ignore[arg-type]
    (coin,) = node.node.call("listunspent", 0, 999, [address], wallet="holders")
    rest = coin["amount"] - Decimal(units).scaleb(-8) - Decimal("0.00001")
    change = node.node.call("getnewaddress", wallet="miner")
    raw = node.node.call(
        "createrawtransaction", [{"txid": coin["txid"], "vout": coin["vout"]}],
        [{address: str(Decimal(units).scaleb(-8))}, {change: str(rest)}],
    )  # fmt: skip
    signed = node.node.call("signrawtransactionwithwallet", raw, wallet="holders")["hex"]
    node.node.call("sendrawtransaction", signed)
    node.node.mine()


@pytest.mark.real_bitcoind
def test_a_bitcoin_wallet_that_pays_itself_the_drawn_amount_has_moved(bitcoin: NodeHarness) -> None:
    native = AssetId(bitcoin.network.native_asset)
    mover, idle, wrong = (Holding(bitcoin.fund(1_000_000), native) for _ in range(3))
    tests = drawn(bitcoin, mover, idle, wrong)
    assert outcomes(bitcoin, tests) == [Outcome.NOT_MOVED] * 3
    pay_itself(bitcoin, mover.account, int(tests.tests[0].units))
    pay_itself(bitcoin, wrong.account, int(tests.tests[2].units) + 1)
    bitcoin.node.call(
        "sendtoaddress", address_of(idle.account), str(Decimal(tests.tests[1].units).scaleb(-8)), wallet="miner"
    )
    bitcoin.node.mine()
    assert outcomes(bitcoin, tests) == [Outcome.MOVED, Outcome.NOT_MOVED, Outcome.NOT_MOVED]
    assert outcomes(bitcoin, tests.model_copy(update={"deadline": PAST}))[0] is Outcome.LATE
    later = tests.model_copy(update={"tests": [one.model_copy(update={"height": 10_000}) for one in tests.tests]})
    assert outcomes(bitcoin, later)[0] is Outcome.NOT_MOVED


@pytest.mark.real_anvil
def test_a_token_holder_that_pays_itself_the_drawn_amount_has_moved(ethereum: AnvilHarness) -> None:
    token = ethereum.token()
    assert token is not None
    mover, idle = (Holding(ethereum.fund(1_000_000, token), token) for _ in range(2))
    tests = drawn(ethereum, mover, idle)
    address = address_of(mover.account)
    ethereum.anvil.rpc("anvil_impersonateAccount", address)
    ethereum.anvil.rpc("anvil_setBalance", address, hex(10**18))
    payload = (
        keccak256(b"transfer(address,uint256)")[:4] + balance_of(address)[4:] + int(tests.tests[0].units).to_bytes(32)
    )
    contract = token.rpartition(":")[2]
    ethereum.anvil.rpc("eth_sendTransaction", {"from": address, "to": contract, "data": "0x" + payload.hex()})
    ethereum.advance()
    assert outcomes(ethereum, tests) == [Outcome.MOVED, Outcome.NOT_MOVED]


@pytest.mark.real_anvil
def test_what_no_node_lists_stays_unknown(ethereum: AnvilHarness) -> None:
    native = Holding(ethereum.fund(10**18), AssetId(ethereum.network.native_asset))
    tests = drawn(ethereum, native)
    ethereum.advance()
    assert outcomes(ethereum, tests) == [Outcome.UNKNOWN]


@pytest.mark.real_anvil
def test_a_native_coin_has_moved_when_a_named_transaction_shows_it(ethereum: AnvilHarness) -> None:
    holder, stranger = ethereum.fund(10**18), ethereum.fund(10**18)
    native = AssetId(ethereum.network.native_asset)
    tests = drawn(ethereum, Holding(holder, native))
    units = int(tests.tests[0].units)

    def pay(sender: str, recipient: str, value: int) -> str:
        ethereum.anvil.rpc("anvil_impersonateAccount", sender)
        sent = ethereum.anvil.rpc("eth_sendTransaction", {"from": sender, "to": recipient, "value": hex(value)})
        ethereum.advance()
        return str(sent)

    own, other = address_of(holder), address_of(stranger)
    wrong = [pay(own, own, units + 1), pay(own, other, units), pay(other, own, units), pay(other, other, units)]
    right = pay(own, own, units)

    def found(asked: MovementTests, *named: str) -> list[Outcome]:
        return [one.outcome for one in check_tests(asked, Providers((ethereum.provider,), 1), LINK, named)]

    assert found(tests) == found(tests, *wrong) == found(tests, "0x" + "00" * 32) == [Outcome.UNKNOWN]
    assert found(tests, *wrong, right) == [Outcome.MOVED]
    assert found(tests.model_copy(update={"deadline": PAST}), right) == [Outcome.LATE]
    after = drawn(ethereum, Holding(holder, native)).tests[0].model_copy(update={"units": str(units)})
    assert found(tests.model_copy(update={"tests": [after]}), right) == [Outcome.UNKNOWN]


def test_drawn_amounts_differ_and_come_back_from_their_file(ethereum: AnvilHarness) -> None:
    native = AssetId(ethereum.network.native_asset)
    tests = drawn(ethereum, *(Holding(ethereum.empty(), native) for _ in range(50)))
    assert len({test.units for test in tests.tests}) == 50
    assert tests != drawn(ethereum, *(Holding(ethereum.empty(), native) for _ in range(50)))
    assert read_tests(canonical_json(movement_record(tests)), "x") == tests
    with pytest.raises(InputError, match="x: tests"):
        read_tests(canonical_json(movement_record(tests) | {"tests": []}), "x")
    assert MovementTest.model_fields["units"]
