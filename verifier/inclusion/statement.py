"""What an exchange signed for one account: its balances, and the very leaves that will stand for them in a tree."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from verifier.canonical import canonical_json
from verifier.dsse import open_record
from verifier.inclusion import sum_tree, wire
from verifier.inclusion.commitment import TreeAsset, read_assets, read_run_id
from verifier.inclusion.proof import InclusionProof
from verifier.inclusion.sum_tree import Sums
from verifier.inclusion.wire import MalformedError

STATEMENT_FORMAT = "reserve-verifier/account-statement/1"
PAYLOAD = "application/vnd.reserve-verifier.account-statement+json"
_KEYS = frozenset({"format", "exchange", "run_id", "as_of", "assets", "account", "leaves"})
_LEAF = frozenset({"salt", "balances"})


@dataclass(frozen=True)
class StatedLeaf:
    """One leaf of an account as it was promised: its salt, and its part of the base units, in the order of assets."""

    salt: bytes
    balances: Sums


@dataclass(frozen=True)
class AccountStatement:
    """What the exchange says it owes one account at one moment, and how that will stand in the tree of a run."""

    exchange: str
    run_id: str
    as_of: str
    assets: tuple[TreeAsset, ...]
    account: str
    leaves: tuple[StatedLeaf, ...]

    @property
    def balances(self) -> Sums:
        """What the account is owed: the sum over its leaves, in base units. Raises SumError beyond 2^128 - 1."""
        return reduce(sum_tree.add_sums, [leaf.balances for leaf in self.leaves])

    def leaf_hashes(self) -> tuple[bytes, ...]:
        """Return the hashes that the leaves have in the tree, part by part."""
        name = self.account.encode()
        return tuple(
            sum_tree.leaf_hash(self.run_id, leaf.salt, name, leaf.balances, part)
            for part, leaf in enumerate(self.leaves)
        )

    def to_json(self) -> bytes:
        """Return the canonical JSON (RFC 8785) that is signed; amounts are decimal texts."""
        return canonical_json(
            {
                "format": STATEMENT_FORMAT,
                "exchange": self.exchange,
                "run_id": self.run_id,
                "as_of": self.as_of,
                "assets": [asset._asdict() for asset in self.assets],
                "account": self.account,
                "leaves": [
                    {"salt": leaf.salt.hex(), "balances": [str(units) for units in leaf.balances]}
                    for leaf in self.leaves
                ],
            }
        )


def statement_from(exchange: str, proof: InclusionProof) -> AccountStatement:
    """Return the statement that a proof, which has not been handed out yet, will have to fit."""
    header = proof.commitment
    leaves = tuple(StatedLeaf(leaf.salt, leaf.balances) for leaf in proof.leaves)
    return AccountStatement(exchange, header.run_id, header.as_of, header.assets, proof.account, leaves)


def is_statement(value: Any) -> bool:
    """Tell whether JSON values are an envelope around an account statement; nothing is checked."""
    return isinstance(value, dict) and value.get("payloadType") == PAYLOAD


def open_statement(value: Any, signers: Sequence[Path], where: str) -> AccountStatement:
    """Return the statement in an envelope that one of the trusted keys signed.

    Raises InputError when nobody trusted signed it, MalformedError naming the field that is not as it should be.
    """
    content = open_record(value, PAYLOAD, signers, where)
    return _statement(wire.read_json(content, where))


def _statement(value: Any) -> AccountStatement:
    record = wire.read_object(value, "statement", _KEYS)
    if record["format"] != STATEMENT_FORMAT:
        raise MalformedError("malformed", f"format: expected {STATEMENT_FORMAT!r}, found {wire.show(record['format'])}")
    assets = read_assets(record["assets"], "assets")
    leaves = wire.read_list(record["leaves"], "leaves", 1, sum_tree.MAX_PARTS)
    return AccountStatement(
        exchange=wire.read_text(record["exchange"], "exchange", 200),
        run_id=read_run_id(record["run_id"], "run_id"),
        as_of=wire.read_utc(record["as_of"], "as_of"),
        assets=assets,
        account=wire.read_text(record["account"], "account", sum_tree.MAX_ACCOUNT_BYTES),
        leaves=tuple(_leaf(leaf, f"leaves.{part}", len(assets)) for part, leaf in enumerate(leaves)),
    )


def _leaf(value: Any, where: str, assets: int) -> StatedLeaf:
    record = wire.read_object(value, where, _LEAF)
    salt = wire.read_hex(record["salt"], f"{where}.salt", sum_tree.SALT_BYTES)
    return StatedLeaf(salt, wire.read_amounts(record["balances"], f"{where}.balances", assets))
