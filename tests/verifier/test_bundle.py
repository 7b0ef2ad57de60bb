"""Bundles from strangers: links, escapes, bombs and doubled names are refused before anything is unpacked."""

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from verifier.attestation.bundle import open_bundle, pack_zip, seal_manifest, write_parts
from verifier.errors import InputError


def a_bundle(folder: Path) -> Path:
    write_parts(folder, {"one.json": b"1", "deep/two.json": b"22"})
    seal_manifest(folder, "0" * 64)
    return folder


def test_a_folder_and_its_zip_hold_the_same_parts(tmp_path: Path) -> None:
    folder = a_bundle(tmp_path / "run")
    pack_zip(folder, tmp_path / "run.zip")
    for path in (folder, tmp_path / "run.zip"):
        with open_bundle(path) as bundle:
            assert bundle.read("deep/two.json") == b"22"
            assert bundle.read("three.json") is None


def escape(archive: zipfile.ZipFile) -> None:
    archive.writestr("../outside.txt", b"escaped")


def absolute(archive: zipfile.ZipFile) -> None:
    archive.writestr("/outside.txt", b"escaped")


def link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


def bomb(archive: zipfile.ZipFile) -> None:
    archive.writestr("bomb.bin", bytes(50 * 1024 * 1024))


def doubled(archive: zipfile.ZipFile) -> None:
    archive.writestr("deep/two.json", b"33")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (escape, "leaves the bundle"),
        (absolute, "leaves the bundle"),
        (link, "is a link"),
        (bomb, "unpacks to"),
        (doubled, "twice"),
    ],
)
def test_a_hostile_zip_is_refused(tmp_path: Path, spoil: Callable[[zipfile.ZipFile], None], said: str) -> None:
    pack_zip(a_bundle(tmp_path / "run"), tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip", "a", zipfile.ZIP_DEFLATED) as archive:
        spoil(archive)
    with pytest.raises(InputError, match=said), open_bundle(tmp_path / "run.zip"):
        pass
    assert not (tmp_path / "outside.txt").exists()


def test_a_link_in_a_folder_is_refused(tmp_path: Path) -> None:
    folder = a_bundle(tmp_path / "run")
    (folder / "link").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="no links"), open_bundle(folder):
        pass


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.zip").write_bytes(content)
    with (
        pytest.raises(InputError, match="neither a bundle folder nor a readable zip"),
        open_bundle(tmp_path / "run.zip"),
    ):
        pass


def test_a_manifest_that_was_reformatted_is_refused(tmp_path: Path) -> None:
    folder = a_bundle(tmp_path / "run")
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b",", b", ", 1))
    with pytest.raises(InputError, match="canonical"), open_bundle(folder):
        pass


def test_an_edited_part_is_named_even_when_nothing_else_reads_it(tmp_path: Path) -> None:
    folder = a_bundle(tmp_path / "run")
    (folder / "one.json").write_bytes(b"2")
    with pytest.raises(InputError, match=r"one\.json: edited"), open_bundle(folder):
        pass
