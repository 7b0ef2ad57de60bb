"""The tree of claims: under the hash of a liability's leaf stands what is paid for it, in a tree of the same kind."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from chains.ids import AssetId
from verifier.compensation.allot import Allotment
from verifier.errors import InputError
from verifier.inclusion.commitment import Commitment, TreeAsset, load_commitment
from verifier.inclusion.proof import InclusionProof
from verifier.liabilities.accounts import Account, read_accounts, write_accounts
from verifier.liabilities.build import build, prove
from verifier.liabilities.commitment import save_commitment
from verifier.liabilities.inspect import has_leaf_list
from verifier.liabilities.leaves import write_leaves
from verifier.liabilities.places import COMMITMENT, LEAVES
from verifier.liabilities.progress import Progress, silent

CLAIMS = "claims"
TABLE, LARGE_TABLE = "payouts.csv", "payouts.parquet"
LARGE = 200_000


def payouts_of(hashes: Iterable[bytes], paid: Allotment, assets: Sequence[TreeAsset]) -> Iterator[Account]:
    """Yield what each leaf is paid, under its hash, in base units; leaves that are paid nothing are left out."""
    rows = zip(*(paid.in_kind[AssetId(one.asset)] for one in assets[:-1]), paid.money, strict=True)
    for leaf, row in zip(hashes, rows, strict=True):
        if any(row):
            yield Account(leaf.hex(), row)


def write_claims(
    folder: Path,
    payouts: Iterable[Account],
    count: int,
    assets: tuple[TreeAsset, ...],
    run_id: str,
    as_of: str,
    secret: bytes,
    progress: Progress = silent,
) -> Commitment | None:
    """Write the table of payouts and its tree into a plan's folder; return the tree's commitment, or None."""
    if count > LARGE:
        from verifier.compensation.large_claims import write_large

        return write_large(folder, payouts, assets, run_id, as_of, secret, progress)
    listed = list(payouts)
    if not listed:
        return None
    tree = build(listed, assets, run_id, as_of, secret)
    (folder / CLAIMS).mkdir(parents=True, exist_ok=True)
    write_accounts(folder / TABLE, assets, sorted(listed))
    write_leaves(folder / CLAIMS / LEAVES, assets, tree.levels[0])
    save_commitment(folder / CLAIMS / COMMITMENT, tree.commitment)
    return tree.commitment


def prove_claim(folder: Path, leaf: bytes, secret: bytes) -> InclusionProof | None:
    """Return the proof of what a liability's leaf is paid, checked; None when it is paid nothing.

    Raises InputError when the plan's parts do not belong together.
    """
    if not (folder / CLAIMS / COMMITMENT).is_file():
        return None
    published = load_commitment(folder / CLAIMS / COMMITMENT)
    if has_leaf_list(folder / CLAIMS):
        from verifier.compensation.large_claims import prove_large

        return prove_large(folder, leaf, secret)
    accounts = read_accounts(folder / TABLE, published.assets)
    tree = build(accounts, published.assets, published.run_id, published.as_of, secret)
    if tree.commitment != published:
        raise InputError(
            f"{folder}: {TABLE} does not belong to {CLAIMS}/{COMMITMENT}: it gives {tree.commitment.digest}"
        )
    return prove(tree, leaf.hex()) if leaf.hex() in tree.places else None
