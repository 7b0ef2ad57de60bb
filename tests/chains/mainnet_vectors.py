"""Real Ethereum mainnet data that lies beside the repository, or a visible skip."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2].parent / "shared" / "vectors" / "ethereum"
NAMES = ("block.json", "proof.json", "block_miner_proof.json")


def mainnet(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Return one file of real mainnet data; without it skip and say so, or fail under POR_REQUIRE_VECTORS=1."""
    path = folder / name
    if not path.exists():
        reason = f"real mainnet data {name} is not there; put it into ../shared/vectors/ethereum beside the repository"
        if os.environ.get("POR_REQUIRE_VECTORS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return dict(json.loads(path.read_text("utf-8")))
