"""The table of a Safe's contracts is the real one, and only they are read as a Safe."""

from itertools import pairwise

import pytest

from chains.errors import ProofError
from chains.evm.keccak import keccak256
from chains.evm.safe.contracts import known_contracts
from chains.evm.safe.storage import (
    FALLBACK_HANDLER,
    GUARD,
    MAX_LISTED,
    MODULE_GUARD,
    MODULES,
    OWNER_COUNT,
    OWNERS,
    SENTINEL,
    SINGLETON,
    THRESHOLD,
    link_slot,
    needed_slots,
    read_storage,
)
from tests.live.safe_wallet import VERSIONS, artifact


def code_hash(version: str, contract: str) -> bytes:
    return keccak256(bytes.fromhex(artifact(version, contract)["deployedBytecode"][2:]))


@pytest.mark.real_anvil
@pytest.mark.parametrize("version", VERSIONS)
def test_the_known_hashes_are_those_of_the_published_contracts(version: str) -> None:
    known = known_contracts()
    assert known.proxies[code_hash(version, "SafeProxy")] == version
    assert known.singletons[code_hash(version, "Safe")] == version
    assert known.singletons[code_hash(version, "SafeL2")] == f"{version}+L2"


def test_no_contract_is_both_a_wallet_and_its_logic() -> None:
    known = known_contracts()
    assert len(known.proxies) == 3
    assert len(known.singletons) == 6
    assert not set(known.proxies) & set(known.singletons)
    assert all(len(code) == 32 for code in (*known.proxies, *known.singletons))


# --- its slots ---


def slots_of(owners: list[int], modules: list[int], threshold: int = 1) -> dict[int, int]:
    """Return the slots of a Safe as its contract writes them."""
    slots = {SINGLETON: 0x51, OWNER_COUNT: len(owners), THRESHOLD: threshold, GUARD: 0, MODULE_GUARD: 0}
    slots[FALLBACK_HANDLER] = 0xFA
    for mapping, entries in ((OWNERS, owners), (MODULES, modules)):
        ring = [SENTINEL, *entries, SENTINEL]
        slots |= {link_slot(mapping, entry): after for entry, after in pairwise(ring)}
    return slots


def test_the_slots_of_a_safe_are_read() -> None:
    storage = read_storage(slots_of([9, 7, 8], [5], 2))
    assert storage.owners == tuple(f"0x{number:040x}" for number in (9, 7, 8))
    assert storage.modules == (f"0x{5:040x}",)
    assert (storage.threshold, storage.guard, storage.fallback_handler) == (2, None, f"0x{0xFA:040x}")
    assert set(needed_slots([9, 7, 8], [5])) == set(slots_of([9, 7, 8], [5]))


def test_lists_are_bounded() -> None:
    assert len(read_storage(slots_of(list(range(2, MAX_LISTED + 2)), [])).owners) == MAX_LISTED
    with pytest.raises(ProofError, match="no list"):
        read_storage(slots_of(list(range(2, MAX_LISTED + 3)), []))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({OWNER_COUNT: 2}, "counts"),
        ({OWNER_COUNT: 4}, "counts"),
        ({THRESHOLD: 4}, "threshold"),
        ({5: 1}, "does not need"),
        ({SINGLETON: 2**160}, "address"),
        ({GUARD: 2**160}, "address"),
        ({link_slot(OWNERS, 8): 9}, "no list"),  # goes round without an end
        ({link_slot(OWNERS, 8): 0}, "no list"),  # breaks off
        ({link_slot(OWNERS, 8): 2**160}, "no list"),
        ({link_slot(OWNERS, 8): 6}, "lacks the slot"),
        ({link_slot(OWNERS, 7): 1}, "counts"),
        ({link_slot(MODULES, 5): 5}, "no list"),
    ],
)
def test_slots_that_no_safe_has_are_refused(change: dict[int, int], message: str) -> None:
    with pytest.raises(ProofError, match=message):
        read_storage(slots_of([9, 7, 8], [5], 2) | change)


def test_every_slot_is_needed() -> None:
    whole = slots_of([9, 7, 8], [5], 2)
    for left_out in whole:
        with pytest.raises(ProofError, match="slot"):
            read_storage({slot: value for slot, value in whole.items() if slot != left_out})
