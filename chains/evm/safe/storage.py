"""Where a Safe keeps what decides over its funds, and how its two linked lists are followed through proven slots."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from chains.errors import ProofError
from chains.evm.keccak import keccak256

SINGLETON, MODULES, OWNERS, OWNER_COUNT, THRESHOLD = range(5)
GUARD = int.from_bytes(keccak256(b"guard_manager.guard.address"))
MODULE_GUARD = int.from_bytes(keccak256(b"module_manager.module_guard.address"))
FALLBACK_HANDLER = int.from_bytes(keccak256(b"fallback_manager.handler.address"))
FIXED = (SINGLETON, OWNER_COUNT, THRESHOLD, GUARD, MODULE_GUARD, FALLBACK_HANDLER)
SENTINEL = 1  # both lists begin and end here
MAX_LISTED = 128


class Storage(NamedTuple):
    """A Safe's slots in words; addresses in lower case, None where none is set."""

    singleton: str
    threshold: int
    owners: tuple[str, ...]
    modules: tuple[str, ...]
    guard: str | None
    module_guard: str | None
    fallback_handler: str | None


def link_slot(mapping: int, entry: int) -> int:
    """Return the slot that names who follows an address in a list. Source: Solidity, layout of state variables."""
    return int.from_bytes(keccak256(entry.to_bytes(32) + mapping.to_bytes(32)))


def follow(mapping: int, read: Callable[[int], int]) -> Iterable[int]:
    """Yield the entries of a linked list from the sentinel until it comes back to it; `read` gives a slot's number.

    A list that was never begun is empty. Raises ProofError for a list that breaks off, repeats itself or is too long.
    """
    seen: set[int] = set()
    entry = read(link_slot(mapping, SENTINEL))
    if not entry:
        return
    while entry != SENTINEL:
        if not SENTINEL < entry < 2**160 or entry in seen or len(seen) == MAX_LISTED:
            raise ProofError(f"no list of at most {MAX_LISTED} addresses that ends where it begins")
        seen.add(entry)
        yield entry
        entry = read(link_slot(mapping, entry))


def needed_slots(owners: Iterable[int], modules: Iterable[int]) -> list[int]:
    """Return every slot that a proof of a Safe with these owners and modules must hold, and no other."""
    lists = ((OWNERS, owners), (MODULES, modules))
    links = [link_slot(mapping, entry) for mapping, entries in lists for entry in (SENTINEL, *entries)]
    return [*FIXED, *links]


def read_storage(slots: Mapping[int, int]) -> Storage:
    """Read a Safe's state from proven slots. Raises ProofError when one is missing, superfluous or malformed."""

    def read(slot: int) -> int:
        if slot not in slots:
            raise ProofError(f"the proof lacks the slot {slot:#x}")
        return slots[slot]

    owners, modules = list(follow(OWNERS, read)), list(follow(MODULES, read))
    threshold = read(THRESHOLD)
    if read(OWNER_COUNT) != len(owners) or threshold > len(owners):
        raise ProofError("the number of owners is not the one the Safe counts, or less than its threshold")
    if set(slots) != set(needed_slots(owners, modules)):
        raise ProofError("the proof holds slots that a Safe's state does not need")
    return Storage(
        text_of(read(SINGLETON)),
        threshold,
        tuple(map(text_of, owners)),
        tuple(map(text_of, modules)),
        *(text_of(read(slot)) if read(slot) else None for slot in (GUARD, MODULE_GUARD, FALLBACK_HANDLER)),
    )


def text_of(number: int) -> str:
    """Write a slot's number as an address. Raises ProofError when it is none."""
    if number >= 2**160:
        raise ProofError("a slot holds more than the address it should")
    return f"0x{number:040x}"
