"""What of a run is entered in a log: its digests, as one line of canonical JSON."""

from pathlib import Path

from verifier.attestation.bundle import MANIFEST, open_bundle
from verifier.canonical import canonical_json
from verifier.errors import InputError
from verifier.files import read_file
from verifier.log.tiles import MAX_ENTRY

FORMAT = "reserve-verifier/log-entry/1"


def entry_of(path: Path) -> bytes:
    """Return the entry of a bundle (folder or zip), or the bytes of any other file.

    Raises InputError for a bundle that is not whole or a file that is too large.
    """
    if not path.is_dir() and path.suffix != ".zip":
        return read_file(path, MAX_ENTRY)
    with open_bundle(path) as bundle:
        parts = {name: part.sha256 for name, part in sorted(bundle.manifest.files.items())}
        record = {"format": FORMAT, "case": bundle.manifest.case, "parts": parts}
    entry = canonical_json(record)
    if len(entry) > MAX_ENTRY:
        raise InputError(f"{path}: {MANIFEST} names too many parts for one entry")
    return entry
