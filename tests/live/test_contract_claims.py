"""Claims for contracts in a declaration: owners by proof at the pinned block, replayed offline; lies change nothing."""

import json
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from chains.evm.keccak import keccak256
from chains.http import HttpTransport, Limits
from chains.ids import AccountId, AssetId, account_id
from chains.model import Tier
from chains.network import network_of
from chains.providers import Provider, Providers
from chains.transport import Request, Response
from tests.live.anvil import CHAIN, Anvil, running_anvil
from tests.live.safe_wallet import (
    FIRST,
    PAIR,
    SECOND,
    STRANGER,
    THIRD,
    SafeFactory,
    by_owner,
    call_data,
    owner,
    sign_message,
)
from tests.live.safe_wallet import key as owner_key
from verifier.attestation.bundle import open_bundle
from verifier.case import Case
from verifier.declaration import Pool, utc_text
from verifier.further import Plans
from verifier.observed import QuestionPlan
from verifier.ownership.claims import Control, Ownership
from verifier.ownership.signing import make_claim
from verifier.policy.evaluate import evaluate
from verifier.policy.library import load_pack
from verifier.run import collect, replay
from verifier.verdict import Verdict
from verifier.verification import verify_bundle

ETH = AssetId(network_of(CHAIN).native_asset)
OWNED, DELEGATED = "0x" + "0e" * 20, "0x" + "0d" * 20
# owner() and everything else answer the first storage slot.
ANSWERS_SLOT_0 = "0x60005460005260206000f3"


@pytest.fixture(scope="module")
def factory() -> Iterator[SafeFactory]:
    with running_anvil() as anvil:
        yield SafeFactory(anvil, "1.4.1")


def message(as_of: str) -> str:
    return f"played.example as of {as_of}"


def claim(account: AccountId, scheme: str, text: str, signature: str, **more: Any) -> dict[str, Any]:
    return {"account": account, "scheme": scheme, "message": text, "signature": signature, **more}


def collected(
    folder: Path, anvil: Anvil, accounts: Sequence[AccountId], claims: Sequence[dict[str, Any]], *,
    questions: bool = True, transport: HttpTransport | None = None, as_of: str = "",
) -> Case:  # fmt: skip
    """Collect, verify that the replay gives the same case, and return it."""
    record = {
        "format": "reserve-verifier/declaration/1",
        "exchange": {"name": "Played", "id": "played.example"},
        "as_of": as_of or now(anvil),
        "assets": [{"asset": ETH, "symbol": "ETH", "decimals": 18}],
        "wallets": [{"account": one, "assets": [ETH], "pool": "client-cold"} for one in accounts],
        "ownership": list(claims),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "declaration.json"
    path.write_text(json.dumps(record), "utf-8")
    provider = Provider("anvil", CHAIN, "json-rpc", (), anvil.url)
    plans = Plans(None, QuestionPlan() if questions else None)
    done = collect(path, Providers((provider,), 1), folder / "run", plans=plans, transport=transport)
    with open_bundle(folder / "run") as bundle:
        case, _ = replay(bundle)
    assert case.digest == done.case.digest
    return case


def now(anvil: Anvil) -> str:
    return utc_text(int(anvil.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16))


def control(case: Case, account: AccountId) -> Ownership:
    found = next(p.ownership for p in case.positions if p.placement.holding.account == account)
    assert found is not None
    return found


@pytest.mark.real_anvil
def test_a_safe_is_shown_by_its_owners_under_the_pinned_block(factory: SafeFactory, tmp_path: Path) -> None:
    anvil, wallet = factory.anvil, factory.create([FIRST, SECOND, THIRD], 2)
    as_of = now(anvil)
    text = message(as_of)
    signed = sign_message(wallet.address, text, PAIR)
    good = collected(
        tmp_path / "good", anvil, [wallet.account], [claim(wallet.account, "safe", text, signed)], as_of=as_of
    )
    assert control(good, wallet.account).control is Control.SIGNED
    told = good.observed.of(wallet.account, "safe")
    assert told is not None and told.tier is Tier.PROVEN
    one = sign_message(wallet.address, text, [FIRST])
    few = collected(tmp_path / "few", anvil, [wallet.account], [claim(wallet.account, "safe", text, one)], as_of=as_of)
    assert (control(few, wallet.account).control, control(few, wallet.account).reason) == (
        Control.REFUSED,
        "too-few-signers",
    )
    unasked = collected(
        tmp_path / "unasked", anvil, [wallet.account], [claim(wallet.account, "safe", text, signed)],
        questions=False, as_of=as_of,
    )  # fmt: skip
    assert control(unasked, wallet.account).control is Control.UNKNOWN
    judged = evaluate(unasked, load_pack("model-basic"))
    found = next(one for one in judged.findings if one.rule == "BASIC-CONTROL")
    assert (found.verdict, "has not told" in found.text) == (Verdict.INDETERMINATE, True)
    # An owner who is removed before the pinned block signs in vain.
    removed = PAIR[1]
    order = [FIRST, SECOND, THIRD]
    place = order.index(removed)
    before = "0x" + "00" * 19 + "01" if place == 0 else owner(order[place - 1])
    wallet.execute(PAIR, call_data("removeOwner(address,address,uint256)", before, owner(removed), 2))
    gone = collected(
        tmp_path / "gone", anvil, [wallet.account], [claim(wallet.account, "safe", text, signed)], as_of=as_of
    )
    assert control(gone, wallet.account).control is Control.REFUSED


@pytest.mark.real_anvil
def test_a_claim_that_brings_its_own_state_root_proves_nothing(factory: SafeFactory, tmp_path: Path) -> None:
    anvil, wallet = factory.anvil, factory.create([FIRST, SECOND], 2)
    text = message(now(anvil))
    forged = sign_message(wallet.address, text, by_owner([THIRD, STRANGER]))
    material = {"state_root": "0x" + "11" * 32, "proof": "{}"}
    brought = claim(wallet.account, "safe", text, forged, material=material)
    case = collected(tmp_path, anvil, [wallet.account], [brought])
    assert control(case, wallet.account).reason == "not-an-owner"


class ChangedStorage(HttpTransport):
    """Change what the node says of storage: a word in answers and proofs."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__(Limits(tries=1))
        self._old, self._new = old.encode(), new.encode()
        self.changed = 0

    def send(self, provider: Provider, request: Request) -> Response:
        response = super().send(provider, request)
        self.changed += self._old in response.body
        return response._replace(body=response.body.replace(self._old, self._new))


@pytest.mark.real_anvil
def test_a_node_that_lies_about_owners_has_no_voice(factory: SafeFactory, tmp_path: Path) -> None:
    anvil, wallet = factory.anvil, factory.create([FIRST, SECOND], 2)
    text = message(now(anvil))
    forged = sign_message(wallet.address, text, by_owner([FIRST, THIRD]))
    lying = ChangedStorage(owner(SECOND)[2:], owner(THIRD)[2:])
    case = collected(tmp_path, anvil, [wallet.account], [claim(wallet.account, "safe", text, forged)], transport=lying)
    assert lying.changed
    assert control(case, wallet.account).control is Control.UNKNOWN


@pytest.mark.real_anvil
def test_an_owned_contract_and_a_contracts_own_word(factory: SafeFactory, tmp_path: Path) -> None:
    anvil, wallet = factory.anvil, factory.create([FIRST, SECOND, THIRD], 2)
    anvil.rpc("anvil_setCode", OWNED, ANSWERS_SLOT_0)
    anvil.rpc("anvil_setStorageAt", OWNED, f"0x{0:064x}", "0x" + owner(FIRST)[2:].zfill(64))
    anvil.rpc("evm_mine")
    owned, text = account_id(f"{CHAIN}:{OWNED}"), message(now(anvil))
    as_of = text.rpartition(" ")[2]

    def by(number: int) -> str:
        account = account_id(f"{CHAIN}:{owner(number)}")
        return make_claim(account, "eip-191", text, owner_key(number).secret).signature

    word = sign_message(wallet.address, text, PAIR)
    claims = [claim(owned, "contract-owner", text, by(FIRST)), claim(wallet.account, "eip-1271", text, word)]
    case = collected(tmp_path / "good", anvil, [owned, wallet.account], claims, as_of=as_of)
    assert control(case, owned).control is Control.SIGNED
    assert control(case, owned).reason.endswith("(the contract's owner: observed by anvil; by storage proof)")
    assert control(case, wallet.account).control is Control.SIGNED
    assert "own word" in control(case, wallet.account).reason
    forged = [
        claim(owned, "contract-owner", text, by(SECOND)),
        claim(wallet.account, "eip-1271", text, sign_message(wallet.address, text, [FIRST])),
    ]
    refused = collected(tmp_path / "forged", anvil, [owned, wallet.account], forged, as_of=as_of)
    assert {control(refused, one).control for one in (owned, wallet.account)} == {Control.REFUSED}


@pytest.mark.real_anvil
def test_all_three_kinds_of_contract_replay_without_a_socket(
    factory: SafeFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anvil, safe, other = factory.anvil, factory.create([FIRST, SECOND, THIRD], 2), factory.create([FIRST, SECOND], 2)
    anvil.rpc("anvil_setCode", OWNED, ANSWERS_SLOT_0)
    anvil.rpc("anvil_setStorageAt", OWNED, f"0x{0:064x}", "0x" + owner(FIRST)[2:].zfill(64))
    anvil.rpc("evm_mine")
    owned, as_of = account_id(f"{CHAIN}:{OWNED}"), now(anvil)
    text, key_account = message(as_of), account_id(f"{CHAIN}:{owner(FIRST)}")
    claims = [
        claim(safe.account, "safe", text, sign_message(safe.address, text, PAIR)),
        claim(other.account, "eip-1271", text, sign_message(other.address, text, PAIR)),
        claim(
            owned, "contract-owner", text, make_claim(key_account, "eip-191", text, owner_key(FIRST).secret).signature
        ),
    ]
    case = collected(tmp_path, anvil, [safe.account, other.account, owned], claims, as_of=as_of)
    monkeypatch.setattr(socket, "socket", None)
    monkeypatch.setattr(socket, "create_connection", None)
    again = verify_bundle(tmp_path / "run").case
    assert again.digest == case.digest
    assert {control(again, one).control for one in (safe.account, other.account, owned)} == {Control.SIGNED}


@pytest.mark.real_anvil
def test_code_upgrades_and_frozen_tokens_are_observed(factory: SafeFactory, tmp_path: Path) -> None:
    anvil = factory.anvil
    anvil.rpc("anvil_setCode", DELEGATED, "0xef0100" + "ab" * 20)
    proxy = "0x" + "0f" * 20
    slot = int.from_bytes(keccak256(b"eip1967.proxy.admin")) - 1
    anvil.rpc("anvil_setCode", proxy, ANSWERS_SLOT_0)
    anvil.rpc("anvil_setStorageAt", proxy, f"0x{slot:064x}", "0x" + ("cd" * 20).zfill(64))
    anvil.rpc("evm_mine")
    accounts = [account_id(f"{CHAIN}:{one}") for one in (DELEGATED, proxy, owner(FIRST))]
    case = collected(tmp_path, anvil, accounts, [])
    told = [case.observed.of(one, "code") for one in accounts]
    assert [one.text.split()[0] if one and one.text else None for one in told] == ["delegated", "contract", "none"]
    upgrade = case.observed.of(accounts[1], "upgrade")
    assert upgrade is not None and upgrade.text == "admin 0x" + "cd" * 20
    assert {position.placement.pool for position in case.positions} == {Pool.CLIENT_COLD}
