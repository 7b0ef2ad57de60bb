"""The short form of a proof is the same proof; damaged, it is refused with a reason and never a crash."""

import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.published import AS_OF, ASSETS, RUN, SECRET, accounts
from verifier.errors import InputError
from verifier.inclusion.check import check_proofs
from verifier.inclusion.compact import PREFIX, from_compact, to_compact
from verifier.liabilities.build import build, prove

TREES = {parts: build(accounts(40), ASSETS, RUN, AS_OF, SECRET, parts) for parts in (1, 3)}
TEXT = to_compact(prove(TREES[1], "user-7"))


@pytest.mark.parametrize("parts", [1, 3])
def test_every_proof_comes_back_from_its_short_form(parts: int) -> None:
    for account in accounts(40):
        proof = prove(TREES[parts], account.id)
        assert from_compact(to_compact(proof), "x") == proof


def test_base45_is_that_of_rfc_9285() -> None:
    from verifier.inclusion import compact

    for raw, text in ((b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0")):
        assert compact._to_base45(raw) == text
        assert compact._from_base45(text, "x") == raw


def test_a_user_checks_the_short_form_like_any_other_file(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text(TEXT + "\n")
    report = check_proofs([tmp_path / "mine.txt"], root=TREES[1].commitment.digest, expected={"USD": "0"})
    assert report.verdict == "refused"
    assert [finding.code for finding in report.results[0].findings] == ["balance-differs"]
    assert check_proofs([tmp_path / "mine.txt"], root=TREES[1].commitment.digest).verdict == "accepted"


@given(st.integers(len(PREFIX), len(TEXT) - 1), st.sampled_from("0A:$ "))
@settings(deadline=None, max_examples=200)
def test_a_changed_letter_never_leaves_an_accepted_proof(place: int, letter: str) -> None:
    changed = TEXT[:place] + letter + TEXT[place + 1 :]
    if changed.strip() == TEXT:
        return
    try:
        proof = from_compact(changed, "x")
    except InputError:
        return
    assert proof == prove(TREES[1], "user-7"), "another proof under the same letters"


@pytest.mark.parametrize("body", ["", "A", "é", "0" * 4, ":::", PREFIX])
def test_what_is_no_short_form_is_refused(body: str) -> None:
    with pytest.raises(InputError):
        from_compact(PREFIX + body, "x")


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=200)
def test_any_bytes_inside_are_an_error_of_ours(body: bytes) -> None:
    from verifier.inclusion import compact

    with pytest.raises(InputError):
        from_compact(PREFIX + compact._to_base45(zlib.compress(body)), "x")


def test_a_bomb_is_not_inflated() -> None:
    from verifier.inclusion import compact

    with pytest.raises(InputError, match="too large"):
        from_compact(PREFIX + compact._to_base45(zlib.compress(bytes(64 * 1024 * 1024), 9)), "x")
