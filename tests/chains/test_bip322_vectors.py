"""BIP-322's own vectors and those of real software; the data lies beside the repository."""

import pytest

from chains.signatures import verify
from chains.signatures.bip322.transactions import message_hash, to_sign, to_spend
from tests.builders import wallet_lists as make
from tests.shared_vectors import vectors

pytest.importorskip("pbk")
REGTEST = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328"


def test_the_standards_hashes_are_ours():
    for case in vectors("bip322/basic-test-vectors.json")["tx_hashes"]:
        script = b"\x00\x14" + bytes.fromhex("2b05d564e6a7a33c087f16e0f730d1440123799d")
        spent = to_spend(case["message"].encode(), script)
        assert message_hash(case["message"].encode()).hex() == case["message_hash"]
        assert spent.id[::-1].hex() == case["to_spend_tx_hash"]
        assert to_sign(spent).id[::-1].hex() == case["to_sign_tx_hash"]


def test_the_standards_signatures_hold_and_its_errors_do_not():
    cases = vectors("bip322/basic-test-vectors.json")
    assert len(cases["simple"]) >= 4
    assert len(cases["error"]) >= 8
    for case in cases["simple"]:
        for signature in case["bip322_signatures"]:
            account = f"{make.BITCOIN}:{case['address']}"
            assert verify("bip-322", account, case["message"], signature).reason == "signed", case
            assert not verify("bip-322", account, case["message"] + "!", signature).valid
    for case in cases["error"]:
        result = verify("bip-322", f"{make.BITCOIN}:{case['address']}", case["message"], case["signature"])
        is_form = "base64" in case["error_substr"] or "pars" in case["error_substr"] or "short" in case["error_substr"]
        assert (result.valid, result.reason == "malformed-signature") == (False, is_form), case


def test_signatures_of_a_real_node_hold():
    cases = vectors("bip322/knots.json")
    assert len(cases) >= 5
    for case in cases:
        account = f"{REGTEST}:{case['address']}"
        assert verify("bip-322", account, case["message"], case["signature"]).reason == "signed", case["kind"]
        assert not verify("bip-322", account, case["message"] + " ", case["signature"]).valid


def test_signatures_in_the_old_form_hold_for_old_addresses_alone():
    for name, address, message, signature, expected in vectors("bip322/bip137.json"):
        result = verify("bip-322", f"{make.BITCOIN}:{address}", message, signature)
        assert result.valid is (name.startswith("p2pkh") and expected is True), (name, result)
