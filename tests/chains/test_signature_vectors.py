"""OKX's own test signatures, one per family, against our schemes; the data lies beside the repository."""

import pytest

from chains.signatures import verify
from chains.signatures.messages import okx_digest
from chains.signatures.recovery import recover_signer
from tests.shared_vectors import vectors
from verifier.wallet_lists.judge import Judge, Status
from verifier.wallet_lists.record import Claim, Role, Row


def row(case):
    signatures = tuple(case[name] for name in ("sign", "sign1", "sign2") if case.get(name))
    material = case.get("script") or case.get("pub") or case.get("pubKey") or ""
    claim = Claim(case["msg"], signatures, material)
    return Row(1, case["coin"], "", case["addr"], None, None, Role.WALLET, "", claim)


def test_every_signature_of_okx_is_bound_to_its_address():
    cases = vectors("inclusion/okx/sig_vectors.json")
    assert len(cases) >= 39
    judge = Judge()
    for case in cases:
        if "addr" in case:
            outcome = judge.judge(row(case))
            assert outcome.status is Status.VERIFIED, (case, outcome)


def test_a_signature_that_names_a_key_and_no_address_shows_that_key_only():
    (case,) = [case for case in vectors("inclusion/okx/sig_vectors.json") if "addr" not in case]
    key = recover_signer(case["sign"], okx_digest(case["msg"].encode()))
    assert bytes(key.format()).hex() == case["pubKey"]
    named = {"public_key": case["pubKey"]}
    result = verify("okx-keccak", "slip44:539:0x0000000000000000", case["msg"], case["sign"], **named)
    assert (result.valid, result.reason) == (False, "unbound")


@pytest.mark.parametrize("change", ["addr", "msg", "signature"])
def test_no_signature_of_okx_survives_a_change(change):
    cases = [case for case in vectors("inclusion/okx/sig_vectors.json") if "addr" in case]
    judge = Judge()
    for case in cases:
        name = change if change != "signature" else "sign" if "sign" in case else "sign1"
        text = case[name]
        place = len(text) // 2
        other = "1" if text[place] != "1" else "2"
        changed = {**case, name: text[:place] + other + text[place + 1 :]}
        assert judge.judge(row(changed)).status is not Status.VERIFIED, changed
