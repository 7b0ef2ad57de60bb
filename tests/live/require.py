"""Find a real node's binary, or skip with a reason everyone sees; under POR_REQUIRE_NODES=1 a missing one fails."""

import os
import shutil
import socket
from pathlib import Path

import pytest


def nodes_home() -> Path:
    """The folder into which tests/live/install_*.py put the nodes."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(os.environ.get("POR_NODES", cache / "reserve-verifier" / "nodes"))


def require_binary(name: str, how: str) -> Path:
    """Return the path of a node's binary from `nodes_home()/bin` or PATH; `how` says what installs it."""
    own = nodes_home() / "bin" / name
    found = own if own.exists() else shutil.which(name)
    if found:
        return Path(found)
    reason = f"{name} is not installed; {how}"
    if os.environ.get("POR_REQUIRE_NODES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """Return a loopback port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
