"""Which leaves are whose: only the exchange can tell, from the private part of its own tree."""

from collections.abc import Collection
from pathlib import Path

from verifier.errors import InputError
from verifier.inclusion import sum_tree
from verifier.inclusion.commitment import Commitment, load_commitment
from verifier.liabilities.folder import open_folder, read_secret
from verifier.liabilities.inspect import has_leaf_list
from verifier.liabilities.places import COMMITMENT, SECRET


def leaves_of_accounts(tree: Path, digest: str, accounts: Collection[str]) -> dict[str, list[bytes]]:
    """Return the hashes of each account's leaves, by its id; accounts that the tree does not know are left out.

    `tree` is the folder that `por tree build` wrote, `digest` that of the tree the plan pays. Raises InputError when
    the folder is of another run or lacks its private part.
    """
    published = load_commitment(tree / COMMITMENT)
    if published.digest != digest:
        raise InputError(f"{tree}: is the tree {published.digest}; the plan pays the accounts of {digest}")
    if has_leaf_list(tree):
        return _large(tree, published, accounts)
    opened = open_folder(tree)
    leaves = opened.levels[0]
    return {one: [leaves[at].hash for at in opened.places[one]] for one in accounts if one in opened.places}


def _large(tree: Path, published: Commitment, accounts: Collection[str]) -> dict[str, list[bytes]]:
    """Work out where each account's leaves stand, and read the whole list once for what stands there."""
    from verifier.liabilities.publisher.kernels import POSITION_BYTES
    from verifier.liabilities.publisher.opening import open_leaf_list

    key = sum_tree.salt_key(read_secret(tree / SECRET), published.run_id)
    owners = {
        sum_tree.salt_and_position(key, account.encode(), part)[1]: account
        for account in accounts
        for part in range(published.parts)
    }
    found: dict[str, list[bytes]] = {}
    leaves = open_leaf_list(tree)
    for number in range(len(leaves.index.parts)):
        for row in leaves.part_records(number)[:, : POSITION_BYTES + sum_tree.HASH_BYTES]:
            cells = row.tobytes()
            owner = owners.get(cells[:POSITION_BYTES])
            if owner is not None:
                found.setdefault(owner, []).append(cells[POSITION_BYTES:])
    return found
