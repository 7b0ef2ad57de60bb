"""Check a whole log: every entry, every tile, and the head they lead to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from verifier.errors import VerifierError
from verifier.log.checkpoint import Checkpoint
from verifier.log.merkle import leaf_hash, tree_root
from verifier.log.tiles import ENTRIES, HEIGHT, WIDTH, TreeFiles, full_tile_root, tile_name, width_of

Progress = Callable[[int], None]


class LogAudit(NamedTuple):
    """The head that was checked, and what is wrong below it, a line each; nothing when the log is whole."""

    head: Checkpoint
    problems: tuple[str, ...]


def audit_log(folder: Path, head: Checkpoint, progress: Progress = lambda done: None) -> LogAudit:
    """Hash every entry and every tile again and compare them with the head; a damaged file is named."""
    files = TreeFiles(folder, head.size)
    problems = [*_leaf_problems(files, progress), *_tile_problems(files)]
    try:
        if not problems and tree_root(files.node, head.size) != head.root:
            problems.append("the tiles lead to another root than the head's")
    except VerifierError as error:
        problems.append(str(error))
    return LogAudit(head, tuple(problems))


def _leaf_problems(files: TreeFiles, progress: Progress) -> Iterator[str]:
    for bundle in range(-(-files.size // WIDTH)):
        name = tile_name(ENTRIES, bundle, width_of(0, bundle, files.size))
        try:
            if [leaf_hash(entry) for entry in files.entries(bundle)] != files.hashes(0, bundle):
                yield f"{name}: its entries are not those that {tile_name(0, bundle)} holds the hashes of"
        except VerifierError as error:
            yield str(error)
        progress(min((bundle + 1) * WIDTH, files.size))


def _tile_problems(files: TreeFiles) -> Iterator[str]:
    """Name tiles whose hashes are not the roots of the full tiles below."""
    level = 1
    while files.size >> HEIGHT * level:
        for place in range(files.size >> HEIGHT * level):
            name = tile_name(level, place // WIDTH, width_of(level, place // WIDTH, files.size))
            try:
                below = full_tile_root(files.hashes(level - 1, place))
                if files.hashes(level, place // WIDTH)[place % WIDTH] != below:
                    yield f"{name}: its hash {place % WIDTH} is not that of {tile_name(level - 1, place)}"
            except VerifierError as error:
                yield str(error)
        level += 1
