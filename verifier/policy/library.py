"""The packs we ship, and any other pack from a file."""

import tomllib
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from chains.providers import describe_validation
from verifier.errors import InputError
from verifier.files import read_file
from verifier.policy.pack import Pack

MAX_BYTES = 4 * 1024 * 1024


def pack_names() -> tuple[str, ...]:
    """Return the ids of the packs we ship."""
    folder = files("verifier.policy") / "packs"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_pack(name: str) -> Pack:
    """Return a shipped pack by id, or the one in a `.toml` file. Raises as `pack_text`, and for a malformed pack."""
    return parse_pack(pack_text(name), name if name.endswith(".toml") else f"packs/{name}.toml")


def pack_text(name: str) -> bytes:
    """Return the TOML of a shipped pack by id, or of a `.toml` file.

    Raises InputError naming the known ones, UnavailableError for no such file.
    """
    if name.endswith(".toml"):
        return read_file(Path(name), MAX_BYTES)
    known = pack_names()
    if name not in known:
        raise InputError(f"unknown pack {name!r}; known: {', '.join(known)}; or name a .toml file")
    return (files("verifier.policy") / "packs" / f"{name}.toml").read_bytes()


def parse_pack(content: bytes, where: str) -> Pack:
    """Read a pack from TOML bytes. Raises InputError naming the file and the field."""
    try:
        return Pack.model_validate(tomllib.loads(content.decode("utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = describe_validation(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(f"{where}: {reason}") from error
