"""Real proofs of exchanges that lie beside the repository, or a visible skip."""

import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2].parent / "shared" / "vectors" / "inclusion"


def vector(name: str) -> Path:
    """Return a given file; without it skip and say so, or fail under POR_REQUIRE_VECTORS=1."""
    path = FOLDER / name
    if not path.exists():
        reason = f"the vector {name} is not there; put it into ../shared/vectors/inclusion beside the repository"
        if os.environ.get("POR_REQUIRE_VECTORS") == "1" and not FOLDER.exists():
            pytest.fail(reason)
        pytest.skip(reason)
    return path
