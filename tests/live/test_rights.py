"""Rights of others and frozen coins on a real EVM chain: each test kept, broken, and not to be told."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from chains.evm.abi import balance_of
from chains.evm.keccak import keccak256
from chains.evm_topics import PERMIT2, UPGRADE_SLOTS
from chains.http import HttpTransport, Limits
from chains.ids import AccountId, AssetId, account_id, address_of
from chains.model import BlockRef
from chains.network import network_of
from chains.providers import Provider
from chains.questions import Question, ask_questions
from chains.transport import Request, Response
from tests.live.anvil import CHAIN, harness
from tests.live.bitcoind import knots_harness
from tests.live.played_days import AnvilDays, KnotsDays, strict_findings
from tests.live.safe_wallet import FIRST, PAIR, SECOND, SafeFactory, call_data
from verifier.further import Plans
from verifier.observed import QuestionPlan
from verifier.policy.finding import Finding
from verifier.verdict import Verdict

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INDETERMINATE
ASKED, BALANCES = Plans(None, QuestionPlan()), Plans()
APPROVE = keccak256(b"approve(address,uint256)")[:4]
# Balances are 100; everything else answers the first storage slot: 1 says frozen and paused, 0 says neither.
FREEZER = "0x5f3560e01c6370a0823114601657" + "5f545f5260205ff3" + "5b60645f5260205ff3"
ANSWERS_SLOT_0 = "0x5f545f5260205ff3"


@pytest.fixture(scope="module")
def anvil() -> Iterator[AnvilDays]:
    with harness() as node:
        yield AnvilDays(node)


def judged(
    days: AnvilDays, folder: Path, pools: Mapping[str, tuple[list[AccountId], list[AssetId]]], plans: Plans = ASKED
) -> dict[tuple[str, str], Finding]:
    return strict_findings(folder, days.provider, pools, {}, days.now(), 0, plans=plans)


def put(days: AnvilDays, address: str, code: str, slots: dict[str, int] | None = None) -> AccountId:
    days.anvil.rpc("anvil_setCode", address, code)
    for slot, value in (slots or {}).items():
        days.anvil.rpc("anvil_setStorageAt", address, slot, f"0x{value:064x}")
    days.anvil.rpc("evm_mine")
    return account_id(f"{CHAIN}:{address}")


@pytest.mark.real_anvil
def test_a_key_that_lets_code_act_for_it_is_seen(anvil: AnvilDays, tmp_path: Path) -> None:
    plain, token = anvil.fund(5), [anvil.asset]
    lent = put(anvil, "0x" + "d1" * 20, "0xef0100" + "ab" * 20)
    rule = ("STRICT-DELEGATED", "attestation")
    assert judged(anvil, tmp_path / "kept", {"client-hot": ([plain], token)})[rule].verdict is PASS
    broken = judged(anvil, tmp_path / "broken", {"client-hot": ([plain, lent], token)})[rule]
    assert (broken.verdict, "0x" + "ab" * 20 in broken.text) == (FAIL, True)
    own = judged(anvil, tmp_path / "own", {"client-hot": ([plain], token), "proprietary": ([lent], token)})[rule]
    assert own.verdict is PASS
    assert judged(anvil, tmp_path / "open", {"client-hot": ([lent], token)}, BALANCES)[rule].verdict is OPEN


@pytest.mark.real_anvil
def test_a_safe_with_modules_is_seen_though_nobody_claims_it(anvil: AnvilDays, tmp_path: Path) -> None:
    wallet, token = SafeFactory(anvil.anvil, "1.4.1").create([FIRST, SECOND], 2), [anvil.asset]
    anvil.move(anvil.fund(5), wallet.account, 5)
    rule, pools = ("STRICT-MODULES", "attestation"), {"client-cold": ([wallet.account], token)}
    assert judged(anvil, tmp_path / "kept", pools)[rule].verdict is PASS
    wallet.execute(PAIR, call_data("enableModule(address)", "0x" + "bd" * 20))
    broken = judged(anvil, tmp_path / "broken", pools)[rule]
    assert (broken.verdict, "0x" + "bd" * 20 in broken.text) == (FAIL, True)
    assert judged(anvil, tmp_path / "open", pools, BALANCES)[rule].verdict is OPEN


@pytest.mark.real_anvil
def test_a_standing_allowance_is_what_others_can_take(anvil: AnvilDays, tmp_path: Path) -> None:
    holder, other = anvil.fund(1_000), anvil.fund(9_000)
    rule = ("STRICT-PULL", str(anvil.asset))
    pools = {"client-hot": ([holder, other], [anvil.asset])}
    assert judged(anvil, tmp_path / "kept", pools)[rule].verdict is PASS
    anvil.anvil.rpc("anvil_setBalance", address_of(holder), hex(10**18))
    anvil.anvil.rpc("anvil_impersonateAccount", address_of(holder))
    data = "0x" + (APPROVE + balance_of(PERMIT2)[4:] + (2**256 - 1).to_bytes(32)).hex()
    sent = {"from": address_of(holder), "to": anvil.harness.token_address, "data": data}
    anvil.anvil.rpc("eth_sendTransaction", sent)
    anvil.anvil.rpc("evm_mine")
    broken = judged(anvil, tmp_path / "broken", pools)[rule]
    assert (broken.verdict, broken.measured, "by Permit2" in broken.text) == (FAIL, "1000", True)
    assert judged(anvil, tmp_path / "open", pools, BALANCES)[rule].verdict is OPEN


class NoEvents(HttpTransport):
    """A node that lists no events."""

    def __init__(self) -> None:
        super().__init__(Limits(tries=1))

    def send(self, provider: Provider, request: Request) -> Response:
        return super().send(provider, request._replace(body=request.body.replace(b"eth_getLogs", b"eth_getNoLogs")))


@pytest.mark.real_anvil
def test_any_spender_that_an_event_names_is_seen_until_it_is_revoked(anvil: AnvilDays, tmp_path: Path) -> None:
    holder, stranger = anvil.fund(1_000), "0x" + "c7" * 20
    anvil.anvil.rpc("anvil_setBalance", address_of(holder), hex(10**18))
    anvil.anvil.rpc("anvil_impersonateAccount", address_of(holder))
    rule, pools = ("STRICT-PULL", str(anvil.asset)), {"client-hot": ([holder], [anvil.asset])}

    def approve(units: int) -> None:
        data = "0x" + (APPROVE + balance_of(stranger)[4:] + units.to_bytes(32)).hex()
        sent = {"from": address_of(holder), "to": anvil.harness.token_address, "data": data}
        anvil.anvil.rpc("eth_sendTransaction", sent)
        anvil.anvil.rpc("evm_mine")

    assert judged(anvil, tmp_path / "before", pools)[rule].verdict is PASS
    approve(700)
    broken = judged(anvil, tmp_path / "broken", pools)[rule]
    assert (broken.verdict, broken.measured, stranger in broken.text) == (FAIL, "700", True)
    approve(0)
    assert judged(anvil, tmp_path / "revoked", pools)[rule].verdict is PASS
    asked = Question(holder, "approvals", address_of(account_id(str(anvil.asset).replace("/erc20", ""))))
    block = anvil.anvil.rpc("eth_getBlockByNumber", "latest", False)
    tip = BlockRef(CHAIN, int(block["number"], 16), block["hash"], int(block["timestamp"], 16))
    (silent,) = ask_questions(network_of(CHAIN), [anvil.provider], NoEvents(), tip, [asked], 1)
    assert (silent.text, bool(silent.failure)) == (None, True)


@pytest.mark.real_anvil
def test_a_wallet_that_outsiders_may_change_is_seen(anvil: AnvilDays, tmp_path: Path) -> None:
    keeper, own = anvil.fund(1), anvil.fund(1)
    rule, token = ("STRICT-UPGRADE", "attestation"), [anvil.asset]
    admin, implementation = UPGRADE_SLOTS["admin"], UPGRADE_SLOTS["implementation"]
    kept = put(anvil, "0x" + "f1" * 20, ANSWERS_SLOT_0, {admin: int(address_of(keeper), 16), implementation: 7})
    lent = put(anvil, "0x" + "f2" * 20, ANSWERS_SLOT_0, {admin: int(address_of(own), 16)})
    itself = put(anvil, "0x" + "f3" * 20, ANSWERS_SLOT_0, {implementation: 7})

    def found(name: str, *wallets: AccountId) -> Finding:
        pools = {"client-cold": ([keeper, *wallets], token), "proprietary": ([own], token)}
        return judged(anvil, tmp_path / name, pools)[rule]

    assert found("kept", kept).verdict is PASS
    broken = found("broken", kept, lent)
    assert (broken.verdict, address_of(own) in broken.text) == (FAIL, True)
    assert (found("itself", itself).verdict, "its own code" in found("itself-2", itself).text) == (OPEN, True)


@pytest.mark.real_anvil
def test_coins_that_the_issuer_froze_are_of_no_use(anvil: AnvilDays, tmp_path: Path) -> None:
    holder = anvil.harness.empty()

    def found(name: str, state: int | None) -> Finding:
        address = "0x" + f"e{state or 0}" * 20
        token = AssetId(f"{CHAIN}/erc20:{address}") if state is not None else anvil.asset
        if state is not None:
            put(anvil, address, FREEZER, {f"0x{0:064x}": state})
        else:
            anvil.move(anvil.fund(5), holder, 5)
        return judged(anvil, tmp_path / name, {"client-cold": ([holder], [token])})["STRICT-FROZEN", str(token)]

    assert found("free", 0).verdict is PASS
    frozen = found("frozen", 1)
    assert (frozen.verdict, frozen.measured) == (FAIL, "100")
    silent = found("silent", None)
    assert (silent.verdict, "does not tell" in silent.text) == (OPEN, True)


@pytest.mark.real_bitcoind
def test_where_no_account_can_have_code_nothing_is_left_open(tmp_path: Path) -> None:
    with knots_harness() as node:
        days = KnotsDays(node)
        pools = {"client-cold": ([days.fund(100_000)], [days.asset])}
        found = strict_findings(tmp_path, days.provider, pools, {}, days.now(), 0, plans=ASKED)
    rules = ("STRICT-DELEGATED", "STRICT-MODULES", "STRICT-UPGRADE")
    assert {found[rule, "attestation"].verdict for rule in rules} == {PASS}
    assert {found[rule, days.asset].verdict for rule in ("STRICT-PULL", "STRICT-FROZEN", "STRICT-DEBT")} == {PASS}
