"""Pionex names each neighbour by its place in the tree; the places must lead up to the root."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from verifier.inclusion.finding import Finding
from verifier.inclusion.layout import MAX_STEPS, OtherLayoutError, read_path
from verifier.inclusion.recipe import PathProof, Recipe
from verifier.inclusion.wire import MalformedError, show


def read(recipe: Recipe, value: Any, facts: Mapping[str, str], companions: Sequence[Any]) -> list[PathProof]:
    """Read `index:hash,index:hash`; indices count from 1 at the root, an odd one stands right."""
    if not isinstance(value, dict) or "path" not in value:
        raise OtherLayoutError("path")
    path = value["path"].split(",") if isinstance(value["path"], str) else value["path"]
    if not isinstance(path, list) or len(path) > MAX_STEPS or not all(isinstance(entry, str) for entry in path):
        raise OtherLayoutError("path")
    entries = sorted((_entry(text) for text in path), reverse=True)
    steps = [{"hash": hash_text, "index_parity": index % 2} for index, hash_text in entries]
    proof = read_path(recipe, {**value, "path": steps}, facts)
    return [replace(proof, faults=(*proof.faults, *_misplaced([index for index, _ in entries])))]


def _entry(text: str) -> tuple[int, str]:
    index, colon, hash_text = text.strip().partition(":")
    if not colon:
        raise OtherLayoutError("path")
    if not index.isascii() or not index.isdigit() or len(index) > 18 or index.startswith("0") or index == "1":
        raise MalformedError("malformed", f"{show(text[:60])}: no place beside a path")
    return int(index), hash_text


def _misplaced(indices: list[int]) -> list[Finding]:
    for below, above in pairwise(indices):
        ancestors = [below >> up for up in range(1, below.bit_length())]
        if above not in [place ^ 1 for place in ancestors]:
            return [Finding("index-beyond-tree", f"place {above} is not beside the path above place {below}")]
    return []
