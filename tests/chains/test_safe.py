"""Owners of real Safes sign: by proofs of who the owners are, the verdict is the Safe's own, without its node."""

from collections.abc import Iterator

import pytest

from chains.errors import IdentifierError, ProofError
from chains.evm.safe.record import SafeState, prove_safe
from chains.signatures.contract_wallet import ask_is_valid_signature
from chains.signatures.result import OwnershipResult
from chains.signatures.safe import safe_message_typed_data, text_hash, verify_safe_claim
from chains.signatures.secp256k1 import ORDER
from tests.builders import wallet_lists as make
from tests.live.anvil import CHAIN, running_anvil
from tests.live.safe_wallet import (
    FIRST,
    GUARD,
    MESSAGE,
    PAIR,
    SECOND,
    SENTINEL,
    STRANGER,
    THIRD,
    VERSIONS,
    SafeFactory,
    SafeWallet,
    artifact,
    by_owner,
    call_data,
    capture,
    judge,
    message_digest,
    owner,
    root_of,
    sign_digest,
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


# --- who signed ---


@pytest.mark.parametrize("numbers", [PAIR, by_owner([FIRST, THIRD]), by_owner([FIRST, SECOND, THIRD])])
def test_enough_owners_sign(wallet: SafeWallet, numbers: list[int]) -> None:
    result = judge(wallet, sign_message(wallet.address, MESSAGE, numbers))
    assert result == OwnershipResult(True, "signed", "safe", wallet.account, wallet.account)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("logic", ["Safe", "SafeL2"])
def test_every_known_version_is_read_and_signs_alike(factory: SafeFactory, version: str, logic: str) -> None:
    made = SafeFactory(factory.anvil, version, logic).create([FIRST, SECOND], 2)
    state = prove_safe(record := capture(made), root_of(record), made.account)
    assert isinstance(state, SafeState)
    assert state.version == version + ("+L2" if logic == "SafeL2" else "")
    assert set(state.storage.owners) == {owner(FIRST), owner(SECOND)}
    assert judge(made, sign_message(made.address, MESSAGE, PAIR)).valid
    assert not judge(made, sign_message(made.address, MESSAGE, PAIR[:1])).valid


def test_a_hash_of_32_bytes_can_be_signed_too(wallet: SafeWallet) -> None:
    signed = sign_message(wallet.address, bytes(range(32)), PAIR)
    assert judge(wallet, signed, bytes(range(32))).valid
    assert judge(wallet, signed, bytes(32)).reason == "not-an-owner"


def test_one_owner_is_too_few(wallet: SafeWallet) -> None:
    assert judge(wallet, sign_message(wallet.address, MESSAGE, [FIRST])).reason == "too-few-signers"


def test_the_same_owner_twice_is_one_owner(wallet: SafeWallet) -> None:
    assert judge(wallet, sign_message(wallet.address, MESSAGE, [FIRST, FIRST])).reason == "repeated-signer"


def test_the_same_owner_by_two_ways_is_one_owner(wallet: SafeWallet) -> None:
    hashed = message_digest(wallet.address, MESSAGE)
    both = sign_digest(FIRST, hashed) + sign_digest(FIRST, hashed, prefixed=True)
    assert judge(wallet, "0x" + both.hex()).reason == "repeated-signer"


def test_signatures_stand_in_the_order_of_the_owners(wallet: SafeWallet) -> None:
    assert judge(wallet, sign_message(wallet.address, MESSAGE, PAIR[::-1])).reason == "unsorted-signers"


def test_three_signatures_stand_in_order_as_well(factory: SafeFactory) -> None:
    made = factory.create([FIRST, SECOND, THIRD], 3)
    one, two, three = by_owner([FIRST, SECOND, THIRD])
    for numbers, reason in (
        ([one, two, three], "signed"),
        ([one, three, two], "unsorted-signers"),
        ([two, one, three], "unsorted-signers"),
        ([one, two, two], "repeated-signer"),
    ):
        assert judge(made, sign_message(made.address, MESSAGE, numbers)).reason == reason


def test_a_stranger_is_no_owner(wallet: SafeWallet) -> None:
    for numbers in (by_owner([FIRST, STRANGER]), by_owner([STRANGER, SECOND])):
        assert judge(wallet, sign_message(wallet.address, MESSAGE, numbers)).reason == "not-an-owner"


def test_an_owner_may_sign_with_eth_sign(wallet: SafeWallet) -> None:
    hashed = message_digest(wallet.address, MESSAGE)
    mixed = sign_digest(PAIR[0], hashed, prefixed=True) + sign_digest(PAIR[1], hashed)
    assert judge(wallet, "0x" + mixed.hex()).valid
    swapped = sign_digest(PAIR[0], hashed)[:64] + mixed[64:]
    assert not judge(wallet, "0x" + swapped.hex()).valid


def test_a_signature_is_of_one_message_and_one_safe(factory: SafeFactory, wallet: SafeWallet) -> None:
    signed = sign_message(wallet.address, MESSAGE, PAIR)
    other = factory.create([FIRST, SECOND, THIRD], 2)
    assert judge(wallet, signed, MESSAGE + " ").reason == "not-an-owner"
    assert judge(other, signed).reason == "not-an-owner"
    elsewhere = message_digest(wallet.address, MESSAGE, chain_id=1)
    signed = "0x" + b"".join(sign_digest(number, elsewhere) for number in PAIR).hex()
    assert judge(wallet, signed).reason == "not-an-owner"


def test_owners_sign_with_their_wallets_what_we_tell_them_to(wallet: SafeWallet) -> None:
    from eth_account import Account

    typed = safe_message_typed_data(int(CHAIN[7:]), wallet.address, MESSAGE)
    signers = [Account.from_key(make.key(number).secret) for number in PAIR]
    signed = b"".join(bytes(signer.sign_typed_data(full_message=typed).signature) for signer in signers)
    assert judge(wallet, "0x" + signed.hex()).valid
    with pytest.raises(IdentifierError):
        safe_message_typed_data(1, wallet.address, b"short")
    with pytest.raises(IdentifierError):
        safe_message_typed_data(1, "0x12", MESSAGE)


def test_a_signature_over_the_bare_hash_is_not_the_safes(wallet: SafeWallet) -> None:
    bare = text_hash(MESSAGE)
    assert bare is not None
    signed = "0x" + b"".join(sign_digest(number, bare) for number in PAIR).hex()
    assert judge(wallet, signed).reason == "not-an-owner"


@pytest.mark.parametrize(("v", "reason"), [(2, "unknown-v"), (26, "unknown-v"), (29, "unknown-v"), (33, "unknown-v")])
def test_an_unknown_v_is_refused_by_both(wallet: SafeWallet, v: int, reason: str) -> None:
    raw = bytearray.fromhex(sign_message(wallet.address, MESSAGE, PAIR)[2:])
    raw[64] = v
    assert judge(wallet, "0x" + raw.hex()).reason == reason


def test_what_needs_more_than_signatures_is_refused(wallet: SafeWallet) -> None:
    pointed = bytes.fromhex(owner(PAIR[0])[2:]).rjust(32, b"\0") + (130).to_bytes(32)
    last = sign_digest(PAIR[1], message_digest(wallet.address, MESSAGE))
    assert judge(wallet, "0x" + (pointed + b"\0" + last).hex()).reason == "contract-owner"
    assert judge(wallet, "0x" + (pointed + b"\1" + last).hex()).reason == "approved-hash"


def test_here_we_are_stricter_than_the_safe(wallet: SafeWallet) -> None:
    """The contract takes s in both halves, and never looks at signatures beyond the threshold."""
    record, good = capture(wallet), bytes.fromhex(sign_message(wallet.address, MESSAGE, PAIR)[2:])
    s = ORDER - int.from_bytes(good[32:64])
    twin = good[:32] + s.to_bytes(32) + bytes([55 - good[64]]) + good[65:]
    hashed = text_hash(MESSAGE)
    assert hashed is not None
    for raw, reason in ((twin, "high-s"), (good + bytes(64) + b"\x1b", "no-such-key")):
        asked = ask_is_valid_signature(wallet.factory.rpc, wallet.account, hashed, raw, "latest")
        assert asked.result.reason == "signed"
        assert verify_safe_claim(record, root_of(record), wallet.account, MESSAGE, raw.hex()).reason == reason


@pytest.mark.parametrize("signatures", ["", "0x", "0x00", "zz", "0x" + "00" * 64, "0x" + "00" * 66])
def test_signatures_of_another_form_are_malformed(wallet: SafeWallet, signatures: str) -> None:
    record = capture(wallet)
    result = verify_safe_claim(record, root_of(record), wallet.account, MESSAGE, signatures)
    assert (result.valid, result.reason) == (False, "malformed-signature")


def test_every_flipped_bit_of_a_signature_is_refused_by_both(wallet: SafeWallet) -> None:
    good = bytes.fromhex(sign_message(wallet.address, MESSAGE, PAIR)[2:])
    for position in range(0, len(good), 9):
        changed = bytearray(good)
        changed[position] ^= 1 << position % 8
        assert not judge(wallet, "0x" + changed.hex()).valid


# --- who owns it, and when ---


def test_an_owner_who_was_removed_does_not_count_any_more(wallet: SafeWallet) -> None:
    signed = sign_message(wallet.address, MESSAGE, PAIR)
    before = capture(wallet)
    state = prove_safe(before, root_of(before), wallet.account)
    assert isinstance(state, SafeState)
    place = state.storage.owners.index(owner(FIRST))
    previous = state.storage.owners[place - 1] if place else SENTINEL
    wallet.execute([SECOND, THIRD], call_data("removeOwner(address,address,uint256)", previous, owner(FIRST), 2))
    assert judge(wallet, signed).reason == "not-an-owner"
    assert judge(wallet, sign_message(wallet.address, MESSAGE, by_owner([SECOND, THIRD]))).valid
    assert verify_safe_claim(before, root_of(before), wallet.account, MESSAGE, signed).valid
    after = capture(wallet)
    with pytest.raises(ProofError):
        verify_safe_claim(before, root_of(after), wallet.account, MESSAGE, signed)


def test_a_threshold_that_was_raised_asks_for_more(wallet: SafeWallet) -> None:
    signed = sign_message(wallet.address, MESSAGE, PAIR)
    assert judge(wallet, signed).valid
    wallet.execute(PAIR, call_data("changeThreshold(uint256)", 3))
    assert judge(wallet, signed).reason == "too-few-signers"
    assert judge(wallet, sign_message(wallet.address, MESSAGE, by_owner([FIRST, SECOND, THIRD]))).valid


def test_modules_and_handlers_are_part_of_what_is_proven(wallet: SafeWallet) -> None:
    modules = ["0x" + f"{number:02x}" * 20 for number in (0xA1, 0xA2)]
    for module in modules:
        wallet.execute(PAIR, call_data("enableModule(address)", module))
    record = capture(wallet)
    state = prove_safe(record, root_of(record), wallet.account)
    assert isinstance(state, SafeState)
    assert set(state.storage.modules) == set(modules)
    assert set(record["state"]["modules"]) == set(modules)
    assert state.storage.fallback_handler == wallet.factory.handler
    assert (state.storage.guard, state.storage.module_guard) == (GUARD, None)
    wallet.execute(PAIR, call_data("setFallbackHandler(address)", GUARD))
    wallet.execute(PAIR, call_data("disableModule(address,address)", SENTINEL, state.storage.modules[0]))
    record = capture(wallet)
    assert record["state"]["fallback_handler"] == GUARD
    assert record["state"]["modules"] == list(state.storage.modules[1:])


def test_a_long_list_of_owners_is_read(factory: SafeFactory) -> None:
    numbers = list(range(30, 60))
    made = factory.create(numbers, 20)
    assert judge(made, sign_message(made.address, MESSAGE, by_owner(numbers)[:20])).valid
    assert judge(made, sign_message(made.address, MESSAGE, by_owner(numbers)[:19])).reason == "too-few-signers"
