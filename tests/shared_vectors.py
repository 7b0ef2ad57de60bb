"""Other people's data that lies beside the repository, or a visible skip."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1].parent / "shared" / "vectors"


def vector_path(name: str, *, may_be_absent: bool = False) -> Path:
    """Return a file or folder of the shared vectors; else skip and say so, or fail under POR_REQUIRE_VECTORS=1.

    What `may_be_absent` was never handed over with the others: it is skipped, visibly, even then.
    """
    path = FOLDER / name
    if not path.exists():
        reason = f"the shared vector {name} is not there; put it into ../shared/vectors beside the repository"
        if not may_be_absent and os.environ.get("POR_REQUIRE_VECTORS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def vectors(name: str) -> Any:
    """Return a JSON file of the shared vectors."""
    return json.loads(vector_path(name).read_text("utf-8"))
