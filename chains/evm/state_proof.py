"""Check a proof that an account held a balance: from the account through the state tree to a block's state root."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chains.errors import InvalidAnswerError, ProofError
from chains.evm.address import canonical_address
from chains.evm.hexadecimal import data, quantity
from chains.evm.keccak import keccak256
from chains.evm.rlp import Item, decode_bytes, decode_list, decode_number

EMPTY_ROOT = keccak256(b"\x80")
EMPTY_CODE = keccak256(b"")
_ZERO_HASH = bytes(32)
# A path has 64 half-bytes; a branch of 16 hashes and a value takes less than 1,024 bytes.
MAX_NODES = 65
MAX_NODE_BYTES = 1024
MAX_SLOTS = 4096


class AccountState(NamedTuple):
    """An account as the state tree stores it: `balance` in wei; an account nobody ever used is all zero and empty."""

    nonce: int
    balance: int
    storage_root: bytes
    code_hash: bytes


class ProvenAccount(NamedTuple):
    """An account and those of its storage slots that were proven."""

    address: str
    state: AccountState
    storage: Mapping[int, int]


ABSENT = AccountState(0, 0, EMPTY_ROOT, EMPTY_CODE)


def prove_value(root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes | None:
    """Follow a key through a Merkle-Patricia tree; return its value, or None when the nodes prove it is absent.

    `root` and `key` have 32 bytes; the key is already hashed. Every node must be used. Raises ProofError.
    Source: Yellow Paper, appendix D.
    """
    if len(nodes) > MAX_NODES or any(len(node) > MAX_NODE_BYTES for node in nodes):
        raise ProofError(f"more than {MAX_NODES} nodes, or a node of more than {MAX_NODE_BYTES} bytes")
    path = tuple(half for byte in key for half in (byte >> 4, byte & 15))
    walk = _Walk(nodes)
    value = walk.follow(root, path)
    if walk.used != len(nodes):
        raise ProofError(f"{len(nodes) - walk.used} nodes of the proof lead nowhere")
    return value


class _Walk:
    """One descent through the nodes of a proof, in order."""

    def __init__(self, nodes: Sequence[bytes]) -> None:
        self._nodes = nodes
        self.used = 0

    def follow(self, root: bytes, path: tuple[int, ...]) -> bytes | None:
        if root == EMPTY_ROOT:
            # Clients write the empty tree as no node at all, or as its one node, the empty string.
            self.used = 1 if self._nodes and self._nodes[0] == b"\x80" else 0
            return None
        node = self._hashed(root)
        while True:
            items = decode_list(node)
            if len(items) == 17:
                if not path:
                    return _value(items[16])
                child, path = items[path[0]], path[1:]
            elif len(items) == 2:
                part, leaf = _decode_path(items[0])
                if leaf:
                    return _value(items[1]) if path == part else None
                if not part:
                    raise ProofError("a node that leads on without a path")
                if path[: len(part)] != part:
                    return None
                child, path = items[1], path[len(part) :]
            else:
                raise ProofError(f"a node of {len(items)} elements; a tree has nodes of 2 and of 17")
            if not child.is_list and not child.content:
                return None
            node = self._child(child)

    def _child(self, child: Item) -> bytes:
        if not child.is_list:
            return self._hashed(child.content)
        if len(child.encoded) >= 32:
            raise ProofError("a node of 32 bytes or more stands inside another one")
        # Some clients list a node that stands inside its parent once more.
        if self.used < len(self._nodes) and self._nodes[self.used] == child.encoded:
            self.used += 1
        return child.encoded

    def _hashed(self, expected: bytes) -> bytes:
        if len(expected) != 32:
            raise ProofError(f"a reference of {len(expected)} bytes; expected a 32-byte hash")
        if self.used == len(self._nodes):
            raise ProofError("the proof ends before it reaches the value")
        node = self._nodes[self.used]
        if keccak256(node) != expected:
            raise ProofError(f"node {self.used} does not have the hash its parent names")
        self.used += 1
        return node


def prove_account(state_root: bytes, address: str, nodes: Sequence[bytes]) -> AccountState:
    """Return an account's state under a state root; an account proven absent is all zero. Raises ProofError."""
    value = prove_value(state_root, keccak256(bytes.fromhex(canonical_address(address)[2:])), nodes)
    if value is None:
        return ABSENT
    items = decode_list(value)
    if len(items) != 4 or any(item.is_list for item in items):
        raise ProofError("the state tree holds something else than an account at this address")
    nonce, balance, storage_root, code_hash = (item.content for item in items)
    if len(storage_root) != 32 or len(code_hash) != 32 or len(balance) > 32 or len(nonce) > 8:
        raise ProofError("the state tree holds a malformed account at this address")
    return AccountState(decode_number(nonce), decode_number(balance), storage_root, code_hash)


def prove_slot(storage_root: bytes, slot: int, nodes: Sequence[bytes]) -> int:
    """Return the number in one storage slot under an account's storage root; absent is zero. Raises ProofError."""
    value = prove_value(storage_root, keccak256(slot.to_bytes(32)), nodes)
    if value is None:
        return 0
    number = decode_number(decode_bytes(value))
    if not 0 < number < 2**256:
        raise ProofError("the storage tree holds something else than a number from 1 to 2^256 - 1")
    return number


def verify_proof(state_root: bytes, address: str, answer: Mapping[str, Any]) -> ProvenAccount:
    """Check an `eth_getProof` answer for `address` against a state root; return what it proves.

    Every claim in the answer (address, balance, nonce, code hash, storage root, slot values) must be the proven one.
    For an absent account zero hashes are accepted, as several clients write them. Raises ProofError.
    Source: EIP-1186.
    """
    try:
        return _verify(state_root, address, answer)
    except InvalidAnswerError as error:
        raise ProofError(f"eth_getProof of {address}: {error}") from error


def _verify(state_root: bytes, address: str, answer: Mapping[str, Any]) -> ProvenAccount:
    expected = canonical_address(address)
    if data(answer.get("address"), "address", 20).hex() != expected[2:]:
        raise ProofError(f"the proof is of {answer.get('address')}; expected {address}")
    state = prove_account(state_root, expected, _nodes(answer.get("accountProof"), "accountProof"))
    claims = (
        ("nonce", quantity(answer.get("nonce"), "nonce"), (state.nonce,)),
        ("balance", quantity(answer.get("balance"), "balance"), (state.balance,)),
        ("storageHash", data(answer.get("storageHash"), "storageHash", 32), _accepted(state, state.storage_root)),
        ("codeHash", data(answer.get("codeHash"), "codeHash", 32), _accepted(state, state.code_hash)),
    )
    for name, claimed, proven in claims:
        if claimed not in proven:
            raise ProofError(f"the {name} of {address} is not the proven one")
    slots = answer.get("storageProof")
    if not isinstance(slots, list) or len(slots) > MAX_SLOTS:
        raise ProofError(f"storageProof: expected a list of at most {MAX_SLOTS}")
    return ProvenAccount(expected, state, dict(_slot(state.storage_root, slot) for slot in slots))


def _accepted(state: AccountState, proven: bytes) -> tuple[bytes, ...]:
    return (proven, _ZERO_HASH) if state == ABSENT else (proven,)


def _slot(storage_root: bytes, entry: Any) -> tuple[int, int]:
    if not isinstance(entry, dict):
        raise ProofError("storageProof: expected objects")
    slot = quantity(entry.get("key"), "storageProof key")
    value = prove_slot(storage_root, slot, _nodes(entry.get("proof"), "storageProof proof"))
    if quantity(entry.get("value"), "storageProof value") != value:
        raise ProofError(f"the value of slot {slot:#x} is not the proven one")
    return slot, value


def _nodes(value: Any, what: str) -> list[bytes]:
    if not isinstance(value, list) or len(value) > MAX_NODES:
        raise ProofError(f"{what}: expected a list of at most {MAX_NODES} nodes")
    return [data(node, what) for node in value]


def _value(item: Item) -> bytes | None:
    if item.is_list:
        raise ProofError("a list stands where a value should")
    return item.content or None


def _decode_path(item: Item) -> tuple[tuple[int, ...], bool]:
    """Read a compact path: its half-bytes, and whether it ends at a leaf. Source: Yellow Paper, appendix C."""
    if item.is_list or not item.content:
        raise ProofError("a node without a path")
    flag = item.content[0] >> 4
    if flag > 3 or (flag % 2 == 0 and item.content[0] & 15):
        raise ProofError("a path with an unknown prefix")
    halves = tuple(half for byte in item.content for half in (byte >> 4, byte & 15))
    return halves[2 - flag % 2 :], flag >= 2
