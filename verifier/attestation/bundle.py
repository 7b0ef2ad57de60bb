"""A bundle: one folder (or zip) that holds everything another person needs to reach the same verdict offline."""

import hashlib
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chains.decode import parse_json
from chains.errors import ChainError
from chains.providers import describe_validation
from verifier.canonical import canonical_json
from verifier.errors import InputError, UnavailableError

FolderFormat = Literal["reserve-verifier/bundle/1", "reserve-verifier/plan-folder/1"]
BUNDLE: FolderFormat = "reserve-verifier/bundle/1"
PLAN_FOLDER: FolderFormat = "reserve-verifier/plan-folder/1"
MANIFEST = "manifest.json"
MAX_FILES = 10_000
MAX_MANIFEST = 4 * 1024 * 1024
MAX_TOTAL = 8 * 1024**3
MAX_ZIP_RATIO = 200

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    sha256: Sha256
    bytes: int = Field(ge=0, le=MAX_TOTAL)


class Manifest(BaseModel):
    """What a bundle consists of, and the digest of the case that follows from it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    format: FolderFormat
    case: Sha256
    files: dict[str, _Part] = Field(max_length=MAX_FILES)


class Bundle(NamedTuple):
    """A folder whose every part was compared with the manifest."""

    folder: Path
    manifest: Manifest

    @property
    def digest(self) -> str:
        """The SHA-256 of the manifest, which names every part by its own."""
        return _hash_file(self.folder / MANIFEST).sha256

    def path(self, name: str) -> Path | None:
        """Return the path of a part, or None when the bundle has no such part."""
        return self.folder / name if name in self.manifest.files else None

    def read(self, name: str, limit: int = 256 * 1024 * 1024) -> bytes | None:
        """Return a part's bytes, or None when the bundle has no such part. Raises InputError above `limit` bytes."""
        part = self.manifest.files.get(name)
        if part is None:
            return None
        if part.bytes > limit:
            raise InputError(f"{self.folder / name}: larger than {limit:,} bytes")
        return (self.folder / name).read_bytes()


def _hash_file(path: Path) -> _Part:
    with path.open("rb") as file:
        name = hashlib.file_digest(file, "sha256").hexdigest()
    return _Part(sha256=name, bytes=path.stat().st_size)


def _files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise InputError(f"{path}: a bundle holds no links")
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def seal_manifest(folder: Path, case_digest: str, form: FolderFormat = BUNDLE) -> Manifest:
    """Write the manifest over everything in `folder`; the same parts give the same bytes."""
    files = {name: _hash_file(path) for name, path in _files_below(folder) if name != MANIFEST}
    manifest = Manifest(format=form, case=case_digest, files=files)
    (folder / MANIFEST).write_bytes(canonical_json(manifest.model_dump(mode="json")))
    return manifest


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """Open a bundle folder or zip and compare every part with the manifest.

    Raises InputError naming each part that is edited, missing or extra, UnavailableError when there is nothing to open.
    """
    if path.is_dir():
        yield _checked(path)
    elif path.is_file():
        with tempfile.TemporaryDirectory(prefix="por-bundle-") as temporary:
            folder = Path(temporary)
            _unpack(path, folder)
            yield _checked(folder)
    else:
        raise UnavailableError(f"{path}: no such bundle")


def _checked(folder: Path) -> Bundle:
    manifest = read_manifest(folder / MANIFEST)
    found = dict(_files_below(folder))
    found.pop(MANIFEST, None)
    problems = [f"{name}: missing" for name in manifest.files if name not in found]
    problems += [f"{name}: not in the manifest" for name in found if name not in manifest.files]
    for name, part in manifest.files.items():
        if name not in found:
            continue
        actual = _hash_file(found[name])
        if actual.bytes != part.bytes:
            problems.append(f"{name}: {actual.bytes:,} bytes, the manifest says {part.bytes:,}")
        elif actual != part:
            problems.append(f"{name}: edited (its SHA-256 differs from the manifest's)")
    if problems:
        raise InputError(f"{folder}: the bundle is not whole: {'; '.join(sorted(problems)[:10])}")
    return Bundle(folder, manifest)


def read_manifest(path: Path) -> Manifest:
    """Return a manifest file. Raises InputError when there is none, it is malformed, or not as it was written."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_MANIFEST + 1)
    except OSError as error:
        raise InputError(f"{path}: a bundle has a manifest; {error.strerror}") from error
    try:
        record: Any = parse_json(text[: MAX_MANIFEST + 1])
        manifest = Manifest.model_validate(record)
    except ValidationError as error:
        raise InputError(f"{path}: {describe_validation(error)}") from error
    except ChainError as error:
        raise InputError(f"{path}: {error}") from error
    if canonical_json(record) != text:
        raise InputError(f"{path}: not in canonical form; it was edited after it was written")
    for name in manifest.files:
        _safe_name(path, name)
    return manifest


def _safe_name(where: Path, name: str) -> None:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or PurePosixPath(name).as_posix() != name:
        raise InputError(f"{where}: the part name {name!r} leaves the bundle")


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as source:
            entries = [entry for entry in source.infolist() if not entry.is_dir()]
            _check_entries(archive, entries)
            for entry in entries:
                target = folder / entry.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                with source.open(entry) as packed, target.open("wb") as plain:
                    shutil.copyfileobj(packed, plain, 1024 * 1024)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise InputError(f"{archive}: neither a bundle folder nor a readable zip: {error}") from error


def _check_entries(archive: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_FILES:
        raise InputError(f"{archive}: {len(entries):,} parts; at most {MAX_FILES:,} are read")
    if sum(entry.file_size for entry in entries) > MAX_TOTAL:
        raise InputError(f"{archive}: unpacks to more than {MAX_TOTAL:,} bytes")
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise InputError(f"{archive}: holds the same name twice")
    for entry in entries:
        _safe_name(archive, entry.filename)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise InputError(f"{archive}: {entry.filename!r} is a link; a bundle holds no links")
        if entry.file_size > MAX_ZIP_RATIO * max(entry.compress_size, 1024):
            raise InputError(f"{archive}: {entry.filename!r} unpacks to {entry.file_size:,} bytes; not read")


def pack_zip(folder: Path, archive: Path) -> None:
    """Write a bundle folder as a zip whose bytes depend on the parts alone."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name, path in _files_below(folder):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            target.writestr(entry, path.read_bytes())


def write_parts(folder: Path, parts: Mapping[str, bytes]) -> None:
    """Write named parts below a folder."""
    for name, content in parts.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
