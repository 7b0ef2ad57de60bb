"""Find a published tree again in its folder; it loads no more than drawing a proof needs."""

from pathlib import Path

from verifier.inclusion.commitment import load_commitment
from verifier.liabilities.folder import read_secret
from verifier.liabilities.places import COMMITMENT, ELSEWHERE, LEAF_LIST, SECRET
from verifier.liabilities.publisher.kernels import Engine
from verifier.liabilities.publisher.place import Place
from verifier.liabilities.publisher.store import LeafList, Store


def open_leaf_list(folder: Path) -> LeafList:
    """Open the leaf list of a published folder. Raises InputError when it has none."""
    commitment = load_commitment(folder / COMMITMENT)
    elsewhere = folder / ELSEWHERE
    url = elsewhere.read_text("utf-8").strip() if elsewhere.exists() else str(folder / LEAF_LIST)
    return LeafList(commitment, Place(url))


def open_store(folder: Path, engine: Engine = "plain") -> Store:
    """Open a published folder to draw proofs from it."""
    return Store(open_leaf_list(folder), read_secret(folder / SECRET), engine)
