"""Where a report comes from: the command that made it, the tool's version, and the lock of everything it runs on."""

import shlex
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

LOCK = "requirements.lock"


class Origin(NamedTuple):
    """What a report says of its own making; each is empty where it is not known."""

    command: str = ""
    version: str = ""
    lock: str = ""


def origin_of(command: Sequence[str]) -> Origin:
    """Return the origin of a report that a command makes on this machine."""
    try:
        tool = version("reserve-verifier")
    except PackageNotFoundError:
        tool = ""
    return Origin(shlex.join(command), tool, _lock_digest())


def _lock_digest() -> str:
    """Return the SHA-256 of the lock file beside the source; an installed wheel has none."""
    path = Path(__file__).parents[2] / LOCK
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
