"""One user's proof file: the account, and for each of its leaves the balances and the siblings up to the root."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

from verifier.canonical import canonical_json
from verifier.errors import InputError
from verifier.inclusion import sum_tree, wire
from verifier.inclusion.commitment import Commitment, commitment_of
from verifier.inclusion.sum_tree import Node, Sums
from verifier.inclusion.wire import MalformedError

PROOF_FORMAT = "reserve-verifier/inclusion-proof/1"
MAX_BYTES = 4 * 1024 * 1024
_KEYS = frozenset({"format", "commitment", "commitment_digest", "account", "leaves"})
_LEAF = frozenset({"salt", "balances", "index", "path"})
_STEP = frozenset({"hash", "sums"})


@dataclass(frozen=True)
class LeafProof:
    """One leaf of an account and its way to the root.

    `balances` are the leaf's part of the account's base units, in the order of the commitment's assets; `index` counts
    leaves from the left, from 0; `path` holds the siblings from the leaf upwards.
    """

    salt: bytes
    balances: Sums
    index: int
    path: tuple[Node, ...]

    def to_record(self) -> dict[str, Any]:
        """Return the leaf as JSON values; amounts are decimal texts."""
        return {
            "salt": self.salt.hex(),
            "balances": [str(units) for units in self.balances],
            "index": self.index,
            "path": [{"hash": node.hash.hex(), "sums": [str(units) for units in node.sums]} for node in self.path],
        }


@dataclass(frozen=True)
class InclusionProof:
    """What one user holds: nothing in it is believed until `verifier.inclusion.check` has recomputed the root.

    `leaves` has one entry per part of the account, as many as the commitment's `parts`. `commitment_digest` repeats
    the header's digest, so that a damaged header shows even where nobody compares with the published one.
    """

    commitment: Commitment
    commitment_digest: str
    account: str
    leaves: tuple[LeafProof, ...]

    @property
    def balances(self) -> Sums:
        """What the account is owed: the sum over its leaves, in base units. Raises SumError beyond 2^128 - 1."""
        return reduce(sum_tree.add_sums, [leaf.balances for leaf in self.leaves])

    def node(self, part: int) -> Node:
        """Return the leaf that this proof claims for a part. Raises SumError for an amount outside 0 … 2^128 - 1."""
        leaf, run_id = self.leaves[part], self.commitment.run_id
        hashed = sum_tree.leaf_hash(run_id, leaf.salt, self.account.encode(), leaf.balances, part)
        return Node(hashed, leaf.balances)

    def to_record(self) -> dict[str, Any]:
        """Return the proof as JSON values; amounts are decimal texts."""
        return {
            "format": PROOF_FORMAT,
            "commitment": self.commitment.to_record(),
            "commitment_digest": self.commitment_digest,
            "account": self.account,
            "leaves": [leaf.to_record() for leaf in self.leaves],
        }

    def to_json(self) -> bytes:
        """Return the canonical JSON (RFC 8785) that is handed to the user. Raises InputError beyond 4 MiB."""
        content = canonical_json(self.to_record())
        if len(content) > MAX_BYTES:
            raise InputError(
                f"{wire.show(self.account)}: the proof has {len(content):,} bytes and no checker reads more than "
                f"{MAX_BYTES:,}; build the tree with fewer leaves per account, or with fewer assets"
            )
        return content


def proof_of(value: Any) -> InclusionProof:
    """Read a proof from JSON values. Raises MalformedError naming the field and the rule it breaks."""
    record = wire.read_object(value, "proof", _KEYS)
    if record["format"] != PROOF_FORMAT:
        raise MalformedError("malformed", f"format: expected {PROOF_FORMAT!r}")
    commitment = commitment_of(record["commitment"])
    leaves = wire.read_list(record["leaves"], "leaves", 1, sum_tree.MAX_PARTS)
    return InclusionProof(
        commitment=commitment,
        commitment_digest=wire.read_hex(record["commitment_digest"], "commitment_digest", sum_tree.HASH_BYTES).hex(),
        account=wire.read_text(record["account"], "account", sum_tree.MAX_ACCOUNT_BYTES),
        leaves=tuple(_leaf(leaf, f"leaves.{part}", len(commitment.assets)) for part, leaf in enumerate(leaves)),
    )


def parse_proof(content: bytes, where: str) -> InclusionProof:
    """Read a proof from JSON bytes. Raises InputError naming the file and the field."""
    try:
        return proof_of(wire.read_json(content, where))
    except MalformedError as error:
        raise MalformedError(error.code, f"{where}: {error}") from error


def _leaf(value: Any, where: str, assets: int) -> LeafProof:
    record = wire.read_object(value, where, _LEAF)
    path = wire.read_list(record["path"], f"{where}.path", 0, sum_tree.MAX_DEPTH)
    return LeafProof(
        salt=wire.read_hex(record["salt"], f"{where}.salt", sum_tree.SALT_BYTES),
        balances=wire.read_amounts(record["balances"], f"{where}.balances", assets),
        index=wire.read_count(record["index"], f"{where}.index", 0, sum_tree.MAX_LEAVES),
        path=tuple(_step(step, f"{where}.path.{number}", assets) for number, step in enumerate(path)),
    )


def _step(value: Any, where: str, assets: int) -> Node:
    record = wire.read_object(value, where, _STEP)
    return Node(
        wire.read_hex(record["hash"], f"{where}.hash", sum_tree.HASH_BYTES),
        wire.read_amounts(record["sums"], f"{where}.sums", assets),
    )
