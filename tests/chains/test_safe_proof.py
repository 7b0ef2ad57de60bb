"""A stored proof of a Safe's owners holds whole, breaks with any one value changed, and says what is no Safe."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chains.errors import ChainError, IdentifierError, ProofError
from chains.evm.safe.capture import capture_safe
from chains.evm.safe.record import FORMAT, MAX_RECORD_BYTES, NotASafe, prove_safe, read_record
from chains.ids import account_id
from chains.signatures import verify
from chains.signatures.contract_wallet import ask_is_valid_signature
from chains.signatures.safe import verify_safe_claim
from tests.live.anvil import CHAIN, running_anvil
from tests.live.safe_wallet import (
    FIRST,
    MESSAGE,
    PAIR,
    SECOND,
    STRANGER,
    THIRD,
    VERSIONS,
    SafeFactory,
    SafeWallet,
    artifact,
    call_data,
    capture,
    owner,
    root_of,
    sign_message,
)

pytestmark = pytest.mark.real_anvil


@pytest.fixture(scope="module")
def factory() -> Iterator[SafeFactory]:
    artifact(VERSIONS[0], "Safe")
    with running_anvil() as anvil:
        yield SafeFactory(anvil, VERSIONS[0])


@pytest.fixture
def wallet(factory: SafeFactory) -> SafeWallet:
    return factory.create([FIRST, SECOND, THIRD], 2)


# --- what the proof is worth ---


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in entries:
        yield from leaves(inner, (*path, name))
    if not isinstance(value, dict | list):
        yield path, value


def altered(record: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    copy = json.loads(json.dumps(record))
    place = copy
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return dict(copy)


def changes_of(leaf: Any) -> Iterator[Any]:
    yield from (7, [], {}, True, "", None if leaf else "\ud800")
    if not isinstance(leaf, str):
        yield (leaf or 0) + 1
        return
    for position in {0, 2, len(leaf) // 3, len(leaf) // 2, len(leaf) - 1}:
        digit = leaf[position] if position < len(leaf) else ""
        if digit:
            yield leaf[:position] + ("1" if digit in "0xX" else "0") + leaf[position + 1 :]


def test_a_record_with_one_changed_value_anywhere_is_refused(wallet: SafeWallet) -> None:
    wallet.execute(PAIR, call_data("enableModule(address)", "0x" + "a1" * 20))
    record, signed = capture(wallet), sign_message(wallet.address, MESSAGE, PAIR)
    assert verify_safe_claim(record, root_of(record), wallet.account, MESSAGE, signed).valid
    tried = 0
    for path, leaf in leaves(record):
        for changed in changes_of(leaf):
            if changed == leaf:
                continue
            tried += 1
            with pytest.raises(ProofError):
                verify_safe_claim(altered(record, path, changed), root_of(record), wallet.account, MESSAGE, signed)
    assert tried > 400


def test_a_record_with_one_value_more_or_less_is_refused(wallet: SafeWallet) -> None:
    record, signed = capture(wallet), sign_message(wallet.address, MESSAGE, PAIR)
    slots = record["proof"]["storageProof"]
    pieces: list[tuple[tuple[Any, ...], Any]] = [
        (("proof", "storageProof"), slots[:-1]),
        (("proof", "storageProof"), slots[1:]),
        (("proof", "storageProof"), [*slots, slots[0]]),
        (("proof", "storageProof"), []),
        (("proof", "accountProof"), record["proof"]["accountProof"][:-1]),
        (("singleton_proof",), None),
        (("singleton_proof",), record["proof"]),
        (("proof",), record["singleton_proof"]),
        (("block", "transactions"), []),
        (("note",), "exchange.example"),
        (("proof", "note"), ""),
        (("proof", "storageProof", 0, "note"), ""),
        (("singleton_proof", "storageProof"), proof_of(wallet.factory, wallet.factory.singleton, 4)["storageProof"]),
        (("proof", "storageProof"), [*slots, *proof_of(wallet.factory, wallet.address, 9)["storageProof"]]),
        (("state",), {}),
    ]
    for path, value in pieces:
        with pytest.raises(ProofError):
            verify_safe_claim(altered(record, path, value), root_of(record), wallet.account, MESSAGE, signed)
    for name in record:
        with pytest.raises(ProofError):
            prove_safe({key: value for key, value in record.items() if key != name}, root_of(record), wallet.account)


def proof_of(factory: SafeFactory, address: str, slot: int) -> dict[str, Any]:
    return dict(factory.anvil.rpc("eth_getProof", address, [f"0x{slot:064x}"], "latest"))


def test_a_record_cannot_name_a_trusted_root_and_lead_to_another(wallet: SafeWallet) -> None:
    """The header's root is checked too: else proofs under a made-up header would do."""
    record, signed = capture(wallet), sign_message(wallet.address, MESSAGE, PAIR)
    trusted = "0x" + "7e" * 32
    forged = altered(record, ("state_root",), trusted)
    with pytest.raises(ProofError, match="another state root"):
        verify_safe_claim(forged, bytes.fromhex(trusted[2:]), wallet.account, MESSAGE, signed)


def test_one_safes_record_shows_nothing_of_another(factory: SafeFactory, wallet: SafeWallet) -> None:
    other = factory.create([STRANGER], 1)
    record = capture(other)
    with pytest.raises(ProofError, match="expected"):
        verify_safe_claim(record, root_of(record), wallet.account, MESSAGE, "0x")


def test_a_node_that_lies_about_owners_gives_no_record(wallet: SafeWallet) -> None:
    class Lying:
        def __init__(self, rpc: Any) -> None:
            self._rpc = rpc

        def batch(self, calls: Any) -> Any:
            return [self.ask(method, *parameters) for method, parameters in calls]

        def ask(self, method: str, *parameters: Any) -> Any:
            answer = self._rpc.ask(method, *parameters)
            if method == "eth_getStorageAt":
                word = answer.result
                return answer._replace(result="0x" + owner(STRANGER)[2:].rjust(64, "0") if word[-2:] != "01" else word)
            return answer

    with pytest.raises(ChainError):
        capture_safe(Lying(wallet.factory.rpc), wallet.factory.block(), wallet.account)  # type: ignore[arg-type]


# --- as a scheme ---


def test_the_scheme_needs_a_proof_and_a_root(wallet: SafeWallet) -> None:
    record, signed = capture(wallet), sign_message(wallet.address, MESSAGE, PAIR)
    proof, root = json.dumps(record), record["state_root"]
    assert verify("safe", wallet.account, MESSAGE, signed, proof=proof, state_root=root).valid
    for material in ({}, {"proof": proof}, {"state_root": root}):
        result = verify("safe", wallet.account, MESSAGE, signed, **material)
        assert (result.valid, result.reason) == (False, "proof-missing")
    other = "0x" + "11" * 32
    for bad in ({"proof": proof, "state_root": other}, {"proof": "{}", "state_root": root}):
        with pytest.raises(ProofError):
            verify("safe", wallet.account, MESSAGE, signed, **bad)
    for form in ("0x11", "latest", root[2:]):
        with pytest.raises(ProofError):
            verify("safe", wallet.account, MESSAGE, signed, proof=proof, state_root=form)


def test_an_account_may_be_spelled_with_its_checksum(wallet: SafeWallet) -> None:
    from chains.evm.address import checksum_address

    account = account_id(f"{CHAIN}:{checksum_address(wallet.address)}")
    record = capture_safe(wallet.factory.rpc, wallet.factory.block(), account).record
    signed = sign_message(wallet.address, MESSAGE, PAIR)
    assert verify_safe_claim(record, root_of(record), account, MESSAGE, signed).valid


def test_accounts_of_other_families_and_texts_that_are_none_are_refused(wallet: SafeWallet) -> None:
    record = capture(wallet)
    for account in ("tron:728126428:TXYZ", f"eip155:0:{wallet.address}", f"eip155:031337:{wallet.address}"):
        with pytest.raises(IdentifierError):
            verify_safe_claim(record, root_of(record), account_id(account), MESSAGE, "0x")
    for message in ("\ud800", b"short"):
        result = verify_safe_claim(record, root_of(record), wallet.account, message, "0x" + "00" * 65)
        assert result.reason == "malformed-message"


def test_a_record_of_any_size_is_not_read() -> None:
    with pytest.raises(ProofError, match="at most"):
        read_record(" " * (MAX_RECORD_BYTES + 1))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format":1}', "\ud800", "[" * 100_000])
def test_a_record_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ProofError):
        read_record(text)


# --- what is no Safe ---


def no_safe(factory: SafeFactory, address: str) -> NotASafe:
    account = account_id(f"{CHAIN}:{address.lower()}")
    record = json.loads(json.dumps(capture_safe(factory.rpc, factory.block(), account).record))
    assert record["format"] == FORMAT
    state = prove_safe(record, root_of(record), account)
    assert isinstance(state, NotASafe)
    result = verify_safe_claim(record, root_of(record), account, MESSAGE, sign_message(address.lower(), MESSAGE, PAIR))
    assert (result.valid, result.reason) == (False, state.reason)
    with pytest.raises(ProofError):
        prove_safe(altered(record, ("code",), "0x00"), root_of(record), account)
    return state


def test_an_account_without_code_is_no_safe(factory: SafeFactory) -> None:
    assert no_safe(factory, "0x" + "7e" * 20).reason == "no-contract"
    assert no_safe(factory, factory.anvil.rpc("eth_accounts")[0]).reason == "no-contract"


def test_a_contract_we_do_not_know_is_no_safe_whatever_its_storage_says(
    factory: SafeFactory, wallet: SafeWallet
) -> None:
    assert no_safe(factory, factory.singleton).reason == "unknown-contract"
    account = account_id(f"{CHAIN}:{factory.singleton}")
    record = capture_safe(factory.rpc, factory.block(), account).record
    slots = proof_of(factory, factory.singleton, 4)["storageProof"]
    with pytest.raises(ProofError, match="no Safe"):
        prove_safe(altered(record, ("proof", "storageProof"), slots), root_of(record), account)
    code = factory.anvil.rpc("eth_getCode", wallet.address, "latest")
    factory.anvil.rpc("anvil_setCode", wallet.address, code + "00")
    factory.anvil.rpc("evm_mine")
    assert no_safe(factory, wallet.address).reason == "unknown-contract"


def test_a_safe_that_runs_unknown_logic_is_no_safe(factory: SafeFactory, wallet: SafeWallet) -> None:
    factory.anvil.rpc("anvil_setStorageAt", wallet.address, "0x" + "00" * 32, "0x" + factory.handler[2:].zfill(64))
    factory.anvil.rpc("evm_mine")
    assert no_safe_with_slots(factory, wallet) == "unknown-contract"


def test_a_proxy_that_nobody_set_up_is_no_safe(factory: SafeFactory) -> None:
    creation = bytes.fromhex(artifact(VERSIONS[0], "SafeProxy")["bytecode"][2:])
    bare = factory.anvil.deploy(creation + bytes.fromhex(factory.singleton[2:]).rjust(32, b"\0"))
    assert no_safe_with_slots(factory, SafeWallet(factory, bare.lower())) == "not-set-up"


def no_safe_with_slots(factory: SafeFactory, wallet: SafeWallet) -> str:
    record = capture(wallet)
    return verify_safe_claim(record, root_of(record), wallet.account, MESSAGE, "0x").reason


def test_an_account_that_delegates_to_code_is_noticed(factory: SafeFactory) -> None:
    """EIP-7702 by a real transaction: the key's account carries the address of the code that acts for it."""
    from eth_account import Account

    signer, anvil = Account.from_key(bytes([7]) * 32), factory.anvil
    anvil.send(to=signer.address, value=hex(10**18))
    chain = int(CHAIN[7:])
    signed = signer.sign_authorization({"chainId": chain, "address": factory.singleton, "nonce": 1})
    fees = {"gas": 200_000, "maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9, "value": 0, "data": b""}
    sent = signer.sign_transaction(
        {"chainId": chain, "nonce": 0, "to": signer.address, **fees, "authorizationList": [signed]}
    )
    anvil.rpc("eth_sendRawTransaction", "0x" + sent.raw_transaction.hex().removeprefix("0x"))
    anvil.rpc("evm_mine")
    state = no_safe(factory, signer.address)
    assert (state.reason, state.code.delegate) == ("delegated", factory.singleton)
    asked = ask_is_valid_signature(factory.rpc, account_id(f"{CHAIN}:{signer.address}"), bytes(32), b"", "latest")
    assert asked.result.reason == "delegated"
