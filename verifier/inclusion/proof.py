"""One user's proof file: the account, its balances, and the siblings up to the root."""

from dataclasses import dataclass
from typing import Any

from verifier.canonical import canonical_json
from verifier.inclusion import sum_tree, wire
from verifier.inclusion.commitment import Commitment, commitment_of
from verifier.inclusion.sum_tree import Node, Sums
from verifier.inclusion.wire import MalformedError

PROOF_FORMAT = "reserve-verifier/inclusion-proof/1"
MAX_BYTES = 4 * 1024 * 1024
_KEYS = frozenset({"format", "commitment", "commitment_digest", "account", "salt", "balances", "index", "path"})
_STEP = frozenset({"hash", "sums"})


@dataclass(frozen=True)
class InclusionProof:
    """What one user holds: nothing in it is believed until `verifier.inclusion.check` has recomputed the root.

    `balances` are base units in the order of the commitment's assets; `index` counts leaves from the left, from 0;
    `path` holds the siblings from the leaf upwards. `commitment_digest` repeats the header's digest, so that a
    damaged header shows even where nobody compares with the published one.
    """

    commitment: Commitment
    commitment_digest: str
    account: str
    salt: bytes
    balances: Sums
    index: int
    path: tuple[Node, ...]

    @property
    def leaf(self) -> Node:
        """The leaf this proof claims. Raises SumError for an amount outside 0 … 2^128 - 1."""
        run_id = self.commitment.run_id
        return Node(sum_tree.leaf_hash(run_id, self.salt, self.account.encode(), self.balances), self.balances)

    def to_record(self) -> dict[str, Any]:
        """Return the proof as JSON values; amounts are decimal texts."""
        return {
            "format": PROOF_FORMAT,
            "commitment": self.commitment.to_record(),
            "commitment_digest": self.commitment_digest,
            "account": self.account,
            "salt": self.salt.hex(),
            "balances": [str(units) for units in self.balances],
            "index": self.index,
            "path": [{"hash": node.hash.hex(), "sums": [str(units) for units in node.sums]} for node in self.path],
        }

    def to_json(self) -> bytes:
        """Return the canonical JSON (RFC 8785) that is handed to the user."""
        return canonical_json(self.to_record())


def proof_of(value: Any) -> InclusionProof:
    """Read a proof from JSON values. Raises MalformedError naming the field and the rule it breaks."""
    record = wire.read_object(value, "proof", _KEYS)
    if record["format"] != PROOF_FORMAT:
        raise MalformedError("malformed", f"format: expected {PROOF_FORMAT!r}")
    commitment = commitment_of(record["commitment"])
    assets = len(commitment.assets)
    path = wire.read_list(record["path"], "path", 0, sum_tree.MAX_DEPTH)
    return InclusionProof(
        commitment=commitment,
        commitment_digest=wire.read_hex(record["commitment_digest"], "commitment_digest", sum_tree.HASH_BYTES).hex(),
        account=wire.read_text(record["account"], "account", sum_tree.MAX_ACCOUNT_BYTES),
        salt=wire.read_hex(record["salt"], "salt", sum_tree.SALT_BYTES),
        balances=wire.read_amounts(record["balances"], "balances", assets),
        index=wire.read_count(record["index"], "index", 0, sum_tree.MAX_LEAVES),
        path=tuple(_step(step, f"path.{number}", assets) for number, step in enumerate(path)),
    )


def parse_proof(content: bytes, where: str) -> InclusionProof:
    """Read a proof from JSON bytes. Raises InputError naming the file and the field."""
    try:
        return proof_of(wire.read_json(content, where))
    except MalformedError as error:
        raise MalformedError(error.code, f"{where}: {error}") from error


def _step(value: Any, where: str, assets: int) -> Node:
    record = wire.read_object(value, where, _STEP)
    return Node(
        wire.read_hex(record["hash"], f"{where}.hash", sum_tree.HASH_BYTES),
        wire.read_amounts(record["sums"], f"{where}.sums", assets),
    )
