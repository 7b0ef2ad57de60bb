"""All receipts at once: each is the proof that one account alone would get, and none leaves unchecked."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.verifier.published import ASSETS, SECRET, InThisProcess, accounts, leaf_list, order, parquet, run, store
from verifier.errors import InputError
from verifier.inclusion.check import check_proofs
from verifier.inclusion.proof import parse_proof
from verifier.liabilities.progress import silent
from verifier.liabilities.publisher.books import Books
from verifier.liabilities.publisher.export import export
from verifier.liabilities.publisher.leaf_files import write_part
from verifier.liabilities.publisher.place import Place
from verifier.liabilities.receipts import file_name, write_receipts


def exported(tmp_path: Path, table: str = "a.parquet", parts: int = 1, count: int = 2_500) -> dict[str, bytes]:
    commitment = run(order(parquet(tmp_path / "a.parquet", accounts(count)), parts), tmp_path)
    books = Books(str(tmp_path / table), SECRET)
    return dict(export(leaf_list(commitment, tmp_path), books, InThisProcess(), silent))


@pytest.mark.parametrize("count", [1, 2, 1_023, 1_025, 2_500])
def test_every_account_has_the_receipt_it_would_get_alone(tmp_path: Path, count: int) -> None:
    receipts = exported(tmp_path, count=count)
    assert set(receipts) == {account.id for account in accounts(count)}
    commitment = parse_proof(receipts["user-0"], "").commitment
    alone = store(commitment, tmp_path)
    assert all(receipts[f"user-{n}"] == alone.prove(f"user-{n}").to_json() for n in range(0, count, 97))


def test_parts_that_share_a_block_give_whole_receipts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.liabilities.publisher.publish.rows_per_task", lambda assets, parts: 100)
    receipts = exported(tmp_path)
    alone = store(parse_proof(receipts["user-0"], "").commitment, tmp_path)
    assert all(receipts[f"user-{n}"] == alone.prove(f"user-{n}").to_json() for n in range(0, 2_500, 50))


def test_split_accounts_get_all_their_leaves(tmp_path: Path) -> None:
    receipts = exported(tmp_path, parts=3, count=40)
    assert len(receipts) == 40
    assert len(json.loads(receipts["user-7"])["leaves"]) == 3


def test_a_table_that_is_not_the_trees_is_refused(tmp_path: Path) -> None:
    commitment = run(parquet(tmp_path / "a.parquet", accounts(50)), tmp_path)
    for other in (accounts(49), accounts(51)):
        books = Books(str(parquet(tmp_path / "b.parquet", other)), SECRET)
        with pytest.raises(InputError, match="not the one the tree was built from"):
            list(export(leaf_list(commitment, tmp_path), books, InThisProcess(), silent))


def test_no_receipt_leaves_a_list_that_was_changed(tmp_path: Path) -> None:
    commitment = run(parquet(tmp_path / "a.parquet", accounts(50)), tmp_path)
    records = leaf_list(commitment, tmp_path).part_records(0)
    records[3, -1] ^= np.uint8(1)
    write_part(Place(str(tmp_path / "leaves")), 0, records, 0, ASSETS)
    books = Books(str(tmp_path / "a.parquet"), SECRET)
    with pytest.raises(InputError, match="damaged"):
        list(export(leaf_list(commitment, tmp_path), books, InThisProcess(), silent))


def test_files_and_archive_hold_the_same_receipts_and_are_closed_to_others(tmp_path: Path) -> None:
    receipts = exported(tmp_path, count=30)
    write_receipts(tmp_path / "files", receipts.items())
    write_receipts(tmp_path / "all.zip", receipts.items())
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()
        }
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "files").iterdir()} == {0o600}
    assert (tmp_path / "all.zip").stat().st_mode & 0o777 == 0o600
    report = check_proofs(sorted((tmp_path / "files").iterdir()))
    assert report.verdict == "accepted"
    with pytest.raises(InputError, match="is there already"):
        write_receipts(tmp_path / "all.zip", receipts.items())


def test_an_export_that_stopped_goes_on_and_an_archive_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    receipts = list(exported(tmp_path, count=30).items())

    def stopping() -> object:
        yield from receipts[:10]
        raise KeyboardInterrupt

    for out in (tmp_path / "files", tmp_path / "all.zip"):
        with pytest.raises(KeyboardInterrupt):
            write_receipts(out, stopping())  # type: ignore[arg-type]
    assert len(list((tmp_path / "files").iterdir())) == 10
    assert not (tmp_path / "all.zip").exists()
    assert write_receipts(tmp_path / "files", receipts) == 30
    assert len(list((tmp_path / "files").iterdir())) == 30


def test_file_names_of_odd_accounts_stay_in_their_folder_and_apart() -> None:
    names = [file_name(account) for account in ("../x", "a/b", ".", "é", "e\u0301", "x" * 10_000, "x" * 9_999)]
    assert len(set(names)) == len(names)
    assert not any("/" in name or len(name) > 255 for name in names)
