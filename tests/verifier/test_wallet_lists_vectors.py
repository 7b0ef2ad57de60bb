"""Real wallet lists of OKX and HTX against their expected results; the data lies beside the repository."""

import time

import pytest

from tests.shared_vectors import vector_path, vectors
from verifier.wallet_lists.report import check_wallet_lists

HTX = "inclusion/htx"


def htx_cases():
    return [case for case in vectors(f"{HTX}/expected.json") if "file" in case]


def test_every_htx_list_has_its_expected_counts():
    cases = htx_cases()
    assert len(cases) >= 30
    paths = [vector_path(f"{HTX}/{case['file']}") for case in cases]
    started = time.monotonic()
    report = check_wallet_lists(paths)
    assert time.monotonic() - started < 20
    for case, found in zip(cases, report.lists, strict=True):
        record = found.to_record()
        counts = (record["signed"], record["verified"], record["unsigned"], record["refused"])
        assert counts == (case["signed_rows"], case["signatures_valid"], case["unsigned_rows"], 0), case["file"]


def test_htx_used_signatures_again_for_years():
    report = check_wallet_lists([vector_path(f"{HTX}/{case['file']}") for case in htx_cases()])
    comparison = report.to_record()["comparison"]
    assert comparison["reused_signatures"]["oldest_days"] > 1_000
    assert len(comparison["steps"]) == len(htx_cases()) - 1


@pytest.mark.parametrize(
    ("part", "total", "declared"),
    [("2023-02-21", "USDT-TRC20", "64050721.54"), ("2024-02-04", "BTC(ALL)", "21650.55892")],
)
def test_htx_totals_that_do_not_add_up_are_refused(part, total, declared):
    (case,) = [case for case in htx_cases() if part in case["file"]]
    report = check_wallet_lists([vector_path(f"{HTX}/{case['file']}")])
    (found,) = [each for each in report.lists[0].to_record()["totals"] if each["asset"] == total]
    assert (found["result"], found["declared"]) == ("differs", declared)
    assert report.exit_code == 1


def test_okx_example_is_graded_row_by_row():
    report = check_wallet_lists([vector_path("inclusion/okx/okx_por_example.csv")])
    record = report.lists[0].to_record()
    assert (record["rows"], record["verified"], record["unbound"], record["refused"]) == (5, 3, 2, 0)
    (finding,) = [each for each in record["findings"] if each["code"] == "owner-self-asserted"]
    assert "(lines 18, 20)" in finding["text"]
