"""Rows of wallet lists whose keys are not those of Bitcoin or Ethereum: Starknet, EOS, validators, Decred."""

import sys

import pytest

from tests.builders import wallet_lists as make
from tests.builders import wallet_messages as messages
from tests.builders.stark_keys import sign_text, wallet
from verifier.wallet_lists.judge import Judge, Outcome, Status
from verifier.wallet_lists.networks import BEACON, listed_networks, network_of_row
from verifier.wallet_lists.record import Claim, Role, Row
from verifier.wallet_lists.report import check_wallet_lists

pytest.importorskip("milagro_bls_binding", reason="needs reserve-verifier[lightclient]")

# Published by OKX: example/test.csv of proof-of-reserves.
OKX_STARKNET = (
    "0x03b7f0b02b63683eca1639fb2d5dfa1021628d4ee728b03bc0ac2be66edc32f1",
    "OKC_DTT_AUP2025",
    "04550efc3034895232cac30b73677c81cf949e7428d9629eda85b83e60614f45"
    "061639b572eb88f82f304b6a3ad4f2392a835e5582b918da53ddaaee4e342ea0",
    "0x6459074aa056e6dfb18539e414720ca7518b4d9b6d9a9fa0a3a64b8e2287963",
)
OKX_VALIDATOR = (messages.VALIDATOR.account.rpartition(":")[2], "hello world", messages.VALIDATOR.signature)
DECRED = (messages.DECRED.account.rpartition(":")[2], messages.TEXT)
DECRED_SIGNATURE = messages.DECRED.signature


def judged(network, address, message, signature, material="", owners=()) -> Outcome:
    claim = Claim(message, (signature,), material, owners)
    return Judge().judge(Row(1, network, network, address, None, None, Role.WALLET, "", claim))


def test_okx_starknet_row_is_verified_because_its_wallet_is_known():
    assert judged("STARKNET", *OKX_STARKNET) == Outcome(Status.VERIFIED, "starknet", "signed")
    padded = "0x" + OKX_STARKNET[0][2:].upper()
    assert judged("STARKNET", padded, *OKX_STARKNET[1:]).status is Status.VERIFIED


def test_a_starknet_row_of_an_unknown_contract_is_unbound():
    key, _ = wallet(messages.STARK_SECRET)
    r, s = sign_text(messages.STARK_SECRET, make.OKX_MESSAGE, 0x1234)
    outcome = judged("STARKNET-ETH", "0x1234", make.OKX_MESSAGE, f"{r:064x}{s:064x}", hex(key))
    assert outcome == Outcome(Status.UNBOUND, "starknet", "unbound")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"message": "OKC_DTT_AUP2026"}, "not-signed"),
        ({"message": "a text that has more than thirty-one characters"}, "malformed-message"),
        ({"signature": "0x" + "11" * 64}, "non-canonical"),
        ({"signature": "0x11"}, "malformed-signature"),
        ({"material": ""}, "key-missing"),
        ({"address": "0x1234"}, "not-signed"),
        ({"address": "someone"}, "malformed-address"),
    ],
)
def test_a_starknet_row_that_says_something_else_is_refused(changes, reason):
    row = dict(zip(("address", "message", "signature", "material"), OKX_STARKNET, strict=True))
    outcome = judged("STARKNET", **{**row, **changes})
    assert (outcome.status, outcome.reason) == (Status.REFUSED, reason)


def test_eos_rows_are_unbound_at_best():
    address = "exchange1"
    for scheme, legacy in (("okx-eos", True), ("eos", False)):
        claim = messages.eos(scheme, legacy=legacy)
        for network in ("EOS", "A", "Vaulta", "WAX"):
            found = judged(network, address, claim.message, claim.signature, claim.material["public_key"])
            assert found == Outcome(Status.UNBOUND, scheme, "unbound")


def test_eos_rows_by_another_key_or_none_are_refused():
    claim = messages.eos("okx-eos")
    key = claim.material["public_key"]
    for message, signature, named, reason in (
        ("another text", claim.signature, key, "public-key-differs"),
        (claim.message, "0x" + "11" * 65, key, "malformed-signature"),
        (claim.message, claim.signature, "", "key-missing"),
        (claim.message, claim.signature, key[:-1], "malformed-key"),
    ):
        outcome = judged("EOS", "exchange1", message, signature, named)
        assert (outcome.status, outcome.reason) == (Status.REFUSED, reason)
    assert judged("EOS", "NO NAME", claim.message, claim.signature, key).reason == "malformed-address"


@pytest.mark.parametrize("network", ["BETH", "ETH", "ETH2"])
def test_okx_validator_row_is_verified_under_whatever_name(network):
    address, message, signature = OKX_VALIDATOR
    assert judged(network, address, message, signature) == Outcome(Status.VERIFIED, "bls", "signed")
    assert judged(network, "0x" + address[2:].upper(), message, signature).status is Status.VERIFIED


def test_validator_rows_that_did_not_sign_are_refused():
    address, message, signature = OKX_VALIDATOR
    assert judged("BETH", address, "hello, world", signature) == Outcome(Status.REFUSED, "bls", "not-signed")
    assert judged("BETH", "0x" + "ab" * 48, message, signature) == Outcome(Status.REFUSED, "bls", "no-such-key")
    assert judged("BETH", address, message, "0x11").reason == "malformed-signature"


def test_a_validator_is_tied_to_its_owner_by_the_list_alone():
    signature = make.sign(1, "eip-191-hash", make.OKX_MESSAGE)
    outcome = judged("ETH", "0x" + "ab" * 48, make.OKX_MESSAGE, signature, "", (make.evm(1),))
    assert outcome == Outcome(Status.UNBOUND, "eip-191-hash", "owner-self-asserted")


def test_without_the_extra_a_validator_row_stays_unchecked_and_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "milagro_bls_binding", None)
    address, message, signature = OKX_VALIDATOR
    outcome = judged("BETH", address, message, signature)
    assert outcome.status is Status.UNCHECKED
    assert "reserve-verifier[lightclient]" in outcome.reason


def test_decred_rows_are_judged():
    assert judged("DCR", *DECRED, DECRED_SIGNATURE) == Outcome(Status.VERIFIED, "decred-message", "signed")
    assert judged("DCR", DECRED[0], "another text", DECRED_SIGNATURE).status is Status.REFUSED
    by_envelope = make.sign(1, "okx-keccak", make.OKX_MESSAGE)
    assert judged("DCR", DECRED[0], make.OKX_MESSAGE, by_envelope) == Outcome(
        Status.REFUSED, "okx-keccak", "signer-differs"
    )


def test_a_list_of_them_has_no_unchecked_row(tmp_path):
    eos, (address, message, signature, key) = messages.eos("okx-eos"), OKX_STARKNET
    rows = [
        make.okx_row("ETH", "STARKNET", address, "1", signature, "", key).replace(make.OKX_MESSAGE, message),
        make.okx_row("BETH", "BETH", OKX_VALIDATOR[0], "32", OKX_VALIDATOR[2]).replace(make.OKX_MESSAGE, "hello world"),
        make.okx_row("EOS", "EOS", "exchange1", "5", eos.signature, "", eos.material["public_key"]).replace(
            make.OKX_MESSAGE, eos.message
        ),
    ]
    path = tmp_path / "list.csv"
    path.write_text(make.okx_list(rows, {}))
    report = check_wallet_lists([path])
    record = report.lists[0].to_record()
    assert (record["verified"], record["unbound"], record["refused"], record["unchecked"]) == (2, 1, 0, 0)
    assert record["schemes"] == {"bls": 1, "okx-eos": 1, "starknet": 1}


def test_no_network_of_the_table_is_left_without_a_scheme():
    from verifier.wallet_lists.judge import _schemes

    assert [name for name, network in listed_networks().items() if not _schemes(network.chain, "")] == []
    named = [network_of_row(name, "ETH", "0x" + "ab" * 48)[0] for name in ("ETH", "TRON")]
    assert [one and one.chain for one in named] == [BEACON, "tron:728126428"]
