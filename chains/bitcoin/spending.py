"""What it takes to spend from a descriptor's wallet: which keys, how many of them, and after which time."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from chains.bitcoin.descriptor import parse_descriptor
from chains.network import Network

if TYPE_CHECKING:
    from btclib_wallet.descriptors import Descriptor, KeyExpression
    from btclib_wallet.descriptors.miniscript import Miniscript

HEIGHT_LIMIT = 500_000_000  # below, `after` counts blocks; from here on Unix seconds. Source: BIP-65
TIME_FLAG, AGE_BITS, AGE_UNIT = 1 << 22, 0xFFFF, 512  # of `older`: 512 seconds each. Source: BIP-68


class Key(NamedTuple):
    """A key by what is public of it: an extended key without its path, or a public key in hexadecimal."""

    name: str


class Lock(NamedTuple):
    """A time that must pass: an absolute height or Unix time, an age in blocks or seconds; 0 where there is none."""

    height: int = 0
    time: int = 0
    age_blocks: int = 0
    age_seconds: int = 0


class Secret(NamedTuple):
    """A preimage that somebody must know."""

    digest: str


class Threshold(NamedTuple):
    """At least `least` of the items: all of them for "and", one for "or", none at all for what anybody may."""

    least: int
    items: tuple["Condition", ...]


Condition = Key | Lock | Secret | Threshold


def spending_of(network: Network, descriptor: str) -> Condition | None:
    """Return what it takes to spend, or None for a descriptor that names no keys (`addr`, `raw`).

    Paths of <0;1> count once: they ask for the same. Raises IdentifierError for what is no descriptor.
    Source: BIP-380 to BIP-390, and the Miniscript reference for fragments.
    """
    parsed = parse_descriptor(network, descriptor)
    return _of_descriptor(parsed[0]) if parsed else None


def keys_of(condition: Condition) -> frozenset[str]:
    """Return every key that could have a part in spending."""
    if isinstance(condition, Key):
        return frozenset({condition.name})
    items = condition.items if isinstance(condition, Threshold) else ()
    return frozenset(name for item in items for name in keys_of(item))


def can_spend(condition: Condition, keys: Collection[str]) -> bool:
    """Say whether holders of these keys could ever spend, given time and every preimage."""
    match condition:
        case Key():
            return condition.name in keys
        case Threshold():
            return sum(can_spend(item, keys) for item in condition.items) >= condition.least
        case _:
            return True


def least_lock(condition: Condition) -> Lock:
    """Return the least that must be waited for on any way to spend, part by part.

    Each part is a lower bound of its own; a way that waits for blocks and one that waits for seconds are compared by
    neither, and both parts are zero then.
    """
    match condition:
        case Lock():
            return condition
        case Threshold():
            locks = [least_lock(item) for item in condition.items]
            return Lock(*(_nth([lock[part] for lock in locks], condition.least) for part in range(len(Lock()))))
        case _:
            return Lock()


def _nth(waits: Sequence[int], count: int) -> int:
    """Return how long the `count` quickest take together: as long as the slowest of them."""
    return sorted(waits)[count - 1] if 0 < count <= len(waits) else 0


def _of_descriptor(descriptor: "Descriptor") -> Condition | None:
    inner = getattr(descriptor, "inner", None)
    if inner is not None:
        return _of_descriptor(inner)
    node = getattr(descriptor, "node", None)
    if node is not None:
        return _of_fragment(node)
    internal = getattr(descriptor, "internal_key", None)
    if internal is not None:
        return Threshold(1, (_key(internal), *_leaves(descriptor)))
    keys = tuple(_key(key) for key in descriptor.key_expressions)
    if not keys:
        return None
    return Threshold(getattr(descriptor, "threshold", 1), keys)


def _leaves(descriptor: "Descriptor") -> list[Condition]:
    """Return the conditions of a Taproot tree's leaves: a key, a multi_a, or a Miniscript fragment each."""
    waiting: list[Any] = [getattr(descriptor, "tree", None)]
    found: list[Condition] = []
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple):
            waiting.extend(part)
        elif hasattr(part, "fragment"):
            found.append(_of_fragment(part))
        elif hasattr(part, "threshold"):
            found.append(Threshold(part.threshold, tuple(_key(key) for key in part.keys)))
        elif part is not None:
            found.append(_key(part))
    return found


def _of_fragment(node: "Miniscript") -> Condition:  # noqa: PLR0911 -- one return per kind of fragment
    """Return what a Miniscript fragment asks for; wrappers ask for what they wrap."""
    parts = tuple(_of_fragment(part) for part in node.subs)
    match node.fragment.rstrip(":"):
        case "pk_k" | "pk_h" | "pk" | "pkh":
            return _key(node.keys[0])
        case "multi" | "multi_a" | "sortedmulti" | "sortedmulti_a":
            return Threshold(node.threshold, tuple(_key(key) for key in node.keys))
        case "after":
            return Lock(height=node.threshold) if node.threshold < HEIGHT_LIMIT else Lock(time=node.threshold)
        case "older":
            age = node.threshold & AGE_BITS
            return Lock(age_seconds=age * AGE_UNIT) if node.threshold & TIME_FLAG else Lock(age_blocks=age)
        case "sha256" | "hash256" | "ripemd160" | "hash160":
            return Secret(node.data.hex())
        case "0":
            return Threshold(1, ())
        case "andor":
            return Threshold(1, (Threshold(2, parts[:2]), parts[2]))
        case "thresh":
            return Threshold(node.threshold, parts)
        case fragment if fragment.startswith("or_"):
            return Threshold(1, parts)
        case _:
            return Threshold(len(parts), parts)


def _key(key: "KeyExpression") -> Key:
    return Key(key.xkey or (key.pub_key.hex() if key.pub_key else str(key)))
