"""Prove what an account of TON held, from the hash of a masterchain block and two proofs of its state."""

from chains.errors import ProofError
from chains.ton.address import MASTERCHAIN
from chains.ton.cells import MERKLE_PROOF, MERKLE_UPDATE, ORDINARY, Cell, read_cells

_BLOCK, _STATE, _MASTERCHAIN_EXTRA = 0x11EF55AA, 0x9023AFE2, 0xCC26
_SHARD_DESCRIPTIONS = (0xA, 0xB)
_SHARD_HASH_AT = 32 + 32 + 64 + 64  # numbers of the block and of the masterchain's, start and end in logical time


class _Slice:
    """Read an ordinary cell from its first bit on. Raises ProofError where it ends, or was pruned away."""

    def __init__(self, cell: Cell) -> None:
        if cell.kind != ORDINARY:
            raise ProofError("the proof leaves out a part that is needed")
        self._bits, self._refs, self._place = cell.bits, cell.refs, 0

    def text(self, count: int) -> str:
        if self._place + count > len(self._bits):
            raise ProofError("a cell ends before what it should hold")
        self._place += count
        return self._bits[self._place - count : self._place]

    def number(self, count: int) -> int:
        return int(self.text(count) or "0", 2)

    def ref(self, place: int) -> Cell:
        if place >= len(self._refs):
            raise ProofError("a cell lacks a reference it should hold")
        return self._refs[place]


def prove_account(
    block_root_hash: bytes, shard_proof: bytes, account_proof: bytes, workchain: int, account: bytes
) -> int:
    """Return the nanotons an account held in the state of a masterchain block; an account proven absent held none.

    Takes the block's root hash (32 bytes), the two proofs as a lite server sends them (`shard_proof` is empty for an
    account of the masterchain), the workchain and the account's 32 bytes. Raises ProofError when the proofs do not lead
    from the hash to the account. That the block itself is final is not shown here. Source: TL-B scheme block.tlb.
    """
    if len(block_root_hash) != 32 or len(account) != 32:
        raise ProofError("a root hash and an account have 32 bytes")
    # 1. From the masterchain's block to the block of the account's shard
    if workchain == MASTERCHAIN:
        if shard_proof:
            raise ProofError("an account of the masterchain needs no proof of a shard")
        shard_hash = block_root_hash
    else:
        shard_hash = _shard_hash(_state(shard_proof, block_root_hash), workchain, account)
    # 2. From the shard's block to the shard's state
    state = _Slice(_state(account_proof, shard_hash))
    _require_shard(state, workchain, account)
    # 3. From the state to the account
    return _balance(state.ref(1), account)


def _state(proof: bytes, block_hash: bytes) -> Cell:
    """Return the root of the state that a block leads to."""
    roots = read_cells(proof)
    if len(roots) != 2 or any(root.kind != MERKLE_PROOF for root in roots):
        raise ProofError("expected two Merkle proofs, of a block and of its state")
    block, state = (root.refs[0] for root in roots)
    if block.hashes[0] != block_hash:
        raise ProofError(f"the proof is of the block {block.hashes[0].hex()}, not {block_hash.hex()}")
    found = _Slice(block)
    if found.number(32) != _BLOCK or found.ref(2).kind != MERKLE_UPDATE:
        raise ProofError("what the proof calls a block is none")
    if found.ref(2).refs[1].hashes[0] != state.hashes[0]:
        raise ProofError("the proof's state is not the one its block leads to")
    return state


def _require_shard(state: _Slice, workchain: int, account: bytes) -> None:
    """Check that a state is of the shard in which the account would be."""
    if state.number(32) != _STATE:
        raise ProofError("what the proof calls a state is none")
    state.number(32)  # the network's number, which the block's hash vouches for
    if state.number(2):
        raise ProofError("a state without the name of its shard")
    length, chain, prefix = state.number(6), state.number(32), state.text(64)
    if chain != workchain % 2**32 or prefix[:length] != _bits(account)[:length]:
        raise ProofError("the proof's state is of another shard than the account's")


def _shard_hash(state: Cell, workchain: int, account: bytes) -> bytes:
    """Return the root hash of the shard's block that a masterchain state names for an account."""
    top = _Slice(state)
    _require_shard(top, MASTERCHAIN, b"")
    extra = _Slice(top.ref(3))
    if extra.number(16) != _MASTERCHAIN_EXTRA or not extra.number(1):
        raise ProofError("the masterchain's state names no shards")
    entry = _find(extra.ref(0), f"{workchain % 2**32:032b}")
    if entry is None:
        raise ProofError(f"the masterchain's state names no shards of the workchain {workchain}")
    branch = _Slice(entry.ref(0))
    path = iter(_bits(account)[:60])
    while branch.number(1):
        turn = next(path, None)
        if turn is None:
            raise ProofError("the tree of shards is deeper than shards can be")
        branch = _Slice(branch.ref(int(turn)))
    if branch.number(4) not in _SHARD_DESCRIPTIONS:
        raise ProofError("a shard is described in an unknown way")
    branch.text(_SHARD_HASH_AT)
    return branch.number(256).to_bytes(32, "big")


def _balance(accounts: Cell, account: bytes) -> int:
    """Return the balance beside an account: the sums along the tree of accounts are part of the state."""
    top = _Slice(accounts)
    if not top.number(1):
        return 0
    leaf = _find(top.ref(0), _bits(account))
    if leaf is None:
        return 0
    leaf.number(5)  # how deep this account may split
    return leaf.number(8 * leaf.number(4))


def _find(root: Cell, key: str) -> _Slice | None:
    """Return the value under a key of a dictionary, or None when the dictionary shows that it has none."""
    branch = _Slice(root)
    while True:
        label = _label(branch, len(key))
        if not key.startswith(label):
            return None
        key = key[len(label) :]
        if not key:
            return branch
        branch, key = _Slice(branch.ref(int(key[0]))), key[1:]


def _label(branch: _Slice, longest: int) -> str:
    """Read the part of the key that all entries below share. Source: TL-B scheme block.tlb, HmLabel."""
    width = longest.bit_length()
    if not branch.number(1):
        length = 0
        while branch.number(1):
            length += 1
        label = branch.text(length)
    elif not branch.number(1):
        label = branch.text(branch.number(width))
    else:
        label = branch.text(1) * branch.number(width)
    if len(label) > longest:
        raise ProofError("a dictionary's key is longer than its keys can be")
    return label


def _bits(data: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in data)
