"""The exchange's side: signed claims that hold, from keys that are shown nowhere."""

import json
from pathlib import Path

import pytest
from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from chains.base_codecs import base58, base58_check, bech32
from chains.errors import IdentifierError
from chains.evm.keccak import keccak256
from chains.ids import AccountId, ChainId
from chains.network import network_of
from chains.signatures import verify
from chains.signatures.coins import coin_of
from chains.signatures.key_addresses import hash160
from chains.signatures.signing import secret_of_text, sign
from verifier.cli.main import app
from verifier.declaration import load_declaration
from verifier.errors import InputError
from verifier.ownership.binding import Binding
from verifier.ownership.claims import Control, check_ownership
from verifier.ownership.signing import SigningKey, load_keys

SECRET = bytes(range(1, 33))
PUBLIC = PrivateKey(SECRET).public_key
BITCOIN = "bip122:000000000019d6689c085ae165831e93"
ETHEREUM = AccountId(f"eip155:1:0x{keccak256(PUBLIC.format(compressed=False)[1:])[12:].hex()}")
SEGWIT = AccountId(f"{BITCOIN}:{bech32('bc', hash160(PUBLIC.format()), 0)}")
LEGACY = AccountId(f"{BITCOIN}:{base58_check(bytes([0]) + hash160(PUBLIC.format()))}")
NESTED = AccountId(f"{BITCOIN}:{base58_check(bytes([5]) + hash160(bytes([0, 20]) + hash160(PUBLIC.format())))}")
TRON = AccountId(f"tron:728126428:{base58_check(b'A' + keccak256(PUBLIC.format(compressed=False)[1:])[12:])}")
EDWARDS = Ed25519PrivateKey.from_private_bytes(SECRET).public_key().public_bytes_raw()
SOLANA = AccountId(f"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp:{base58(EDWARDS)}")
PAIRS = [
    ("eip-191", ETHEREUM), ("eip-191-hash", ETHEREUM), ("keccak", ETHEREUM), ("tron-v2", TRON), ("ed25519", SOLANA),
    ("bip-137", SEGWIT), ("bip-137", LEGACY), ("bip-137", NESTED), ("bitcoin-message", SEGWIT),
    ("bip-322", SEGWIT), ("bip-322", LEGACY), ("bip-322", NESTED),
]  # fmt: skip


@pytest.mark.parametrize(("scheme", "account"), PAIRS)
def test_what_is_signed_verifies_and_with_another_key_nothing_is_returned(scheme: str, account: AccountId) -> None:
    signed = sign(scheme, account, "text", SECRET)
    material = {"public_key": signed.public_key} if signed.public_key else {}
    assert verify(scheme, account, "text", signed.signature, **material).valid
    with pytest.raises(IdentifierError) as caught:
        sign(scheme, account, "text", bytes(31) + b"\x07")
    assert "07" * 3 not in str(caught.value)


def test_a_scheme_that_is_not_signed_here_and_a_short_key_are_refused() -> None:
    with pytest.raises(IdentifierError, match="not signed here"):
        sign("bip-127", SEGWIT, "text", SECRET)
    with pytest.raises(IdentifierError, match="3 bytes"):
        sign("eip-191", ETHEREUM, "text", b"abc")


def test_keys_are_read_as_digits_and_in_bitcoins_import_format() -> None:
    wif = base58_check(b"\x80" + SECRET + b"\x01")
    assert secret_of_text(SECRET.hex()) == secret_of_text("0x" + SECRET.hex()) == secret_of_text(f"{wif}\n") == SECRET
    for text in (
        "",
        "zz" * 32,
        SECRET.hex()[:-1],
        wif[:-1] + ("1" if wif[-1] != "1" else "2"),
        base58_check(b"\x80" + SECRET),
    ):
        with pytest.raises(IdentifierError) as caught:
            secret_of_text(text)
        assert not text or text not in str(caught.value)


def declare(folder: Path, *accounts: AccountId) -> Path:
    chains = {account: account.rpartition(":")[0] for account in accounts}
    assets = {chain: network_of(ChainId(chain)).native_asset for chain in chains.values()}
    record = {
        "format": "reserve-verifier/declaration/1",
        "exchange": {"name": "Signing Exchange", "id": "signing.example"},
        "as_of": "2026-11-22T00:00:00Z",
        "assets": [{"asset": asset, "symbol": chain[:3].upper(), "decimals": 8} for chain, asset in assets.items()],
        "wallets": [{"account": a, "assets": [assets[chain]], "pool": "client-cold"} for a, chain in chains.items()],
    }
    path = folder / "declaration.json"
    path.write_text(json.dumps(record))
    return path


def keys_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "keys.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def entry(account: AccountId, how: str) -> str:
    return f'[[key]]\naccount = "{account}"\n{how}\n'


def run(*words: object) -> tuple[int, str]:
    """Run the command line in this process; return the exit code and everything it printed."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_a_declaration_is_signed_offline_and_its_claims_are_bound_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONE_KEY", SECRET.hex())
    (tmp_path / "one.key").write_text(SECRET.hex())
    (tmp_path / "one.key").chmod(0o600)
    path = declare(tmp_path, ETHEREUM, SEGWIT, TRON, SOLANA, LEGACY)
    keys = keys_file(
        tmp_path,
        entry(ETHEREUM, f'secret = "{SECRET.hex()}"') + entry(SEGWIT, 'secret_env = "ONE_KEY"')
        + entry(TRON, 'secret_file = "one.key"') + entry(SOLANA, 'secret_env = "ONE_KEY"'),
    )  # fmt: skip
    code, printed = run("wallets", "sign", path, "--keys", keys, "--out", tmp_path / "signed.json")
    assert code == 0
    assert f"no claim yet: {LEGACY}" in printed
    written = (tmp_path / "signed.json").read_text()
    assert SECRET.hex() not in printed + written
    owners = check_ownership(load_declaration(tmp_path / "signed.json"))
    assert {(o.control, o.binding, o.age_days) for o in owners.values()} == {(Control.SIGNED, Binding.ATTESTATION, 0)}
    assert set(owners) == {ETHEREUM, SEGWIT, TRON, SOLANA}


def test_signing_again_replaces_a_claim_and_keeps_the_others(tmp_path: Path) -> None:
    path = declare(tmp_path, ETHEREUM, TRON)
    first = keys_file(tmp_path, entry(ETHEREUM, f'secret = "{SECRET.hex()}"'))
    run("wallets", "sign", path, "--keys", first, "--out", tmp_path / "one.json")
    second = keys_file(tmp_path, entry(TRON, f'secret = "{SECRET.hex()}"'))
    code, printed = run(
        "wallets", "sign", tmp_path / "one.json", "--keys", second, "--out", tmp_path / "two.json", "--json"
    )
    assert (code, json.loads(printed)["missing"]) == (0, [])
    assert len(load_declaration(tmp_path / "two.json").ownership) == 2


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        (entry(ETHEREUM, f'secret = "{SECRET.hex()}"'), 0o644, "chmod 600"),
        (entry(ETHEREUM, f'secret = "{SECRET.hex()[:-2]}"'), 0o600, "no private key"),
        (entry(ETHEREUM, f'secret = "{SECRET.hex()}"\nsecret_env = "X"'), 0o600, "exactly one of"),
        (entry(ETHEREUM, 'secret_env = "NOBODY_SET_THIS"'), 0o600, "is not set"),
        (entry(ETHEREUM, f'secret = "{SECRET.hex()}"') * 2, 0o600, "has a key already"),
        (entry(ETHEREUM, f'password = "{SECRET.hex()}"'), 0o600, "password"),
        (entry(ETHEREUM, f"secret = {SECRET.hex()}"), 0o600, "not TOML"),
        ("", 0o600, "key"),
    ],
)
def test_a_keys_file_that_is_wrong_is_refused_without_repeating_a_secret(
    tmp_path: Path, text: str, mode: int, reason: str
) -> None:
    path = keys_file(tmp_path, text, mode)
    with pytest.raises(InputError, match=reason) as caught:
        load_keys(path)
    shown = f"{caught.value!r} {caught.value.__cause__!r}"
    assert SECRET.hex()[:-2] not in shown


def test_a_key_of_another_wallet_or_of_none_is_refused_by_the_wallets_name(tmp_path: Path) -> None:
    path = declare(tmp_path, ETHEREUM)
    other = keys_file(tmp_path, entry(ETHEREUM, f'secret = "{"11" * 32}"'))
    with pytest.raises(InputError, match=f"{ETHEREUM}: the key given for it is of another account"):
        run("wallets", "sign", path, "--keys", other, "--out", tmp_path / "x.json")
    stranger = keys_file(tmp_path, entry(TRON, f'secret = "{SECRET.hex()}"'))
    with pytest.raises(InputError, match="names no such wallet"):
        run("wallets", "sign", path, "--keys", stranger, "--out", tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()


def test_a_signing_key_shows_nothing_of_itself() -> None:
    assert "SigningKey(…)" == repr(SigningKey(SECRET)) == str(SigningKey(SECRET))


def test_a_challenge_batch_is_what_the_texts_say(tmp_path: Path) -> None:
    path = declare(tmp_path, ETHEREUM, SEGWIT)
    code, printed = run("wallets", "challenge", path, "--batch", tmp_path / "batch.json")
    record = json.loads((tmp_path / "batch.json").read_text())
    assert code == 0
    assert [one["scheme"] for one in record["challenges"]] == ["eip-191", "bip-322"]
    for one in record["challenges"]:
        assert one["message"] in printed
        assert record["declaration"] in one["message"]
    assert json.loads(run("wallets", "challenge", path, "--json")[1]) == record
    assert ["psbt" in one for one in record["challenges"]] == [False, True]
    assert record["challenges"][0]["if_safe"]["primaryType"] == "SafeMessage"


@pytest.mark.parametrize("chain", ["12a765e31ffd4059bada1e25190f6e98", "1a91e3dace36e2be3bf030a65679fe82"])
def test_relatives_of_bitcoin_are_signed_for_the_older_way(tmp_path: Path, chain: str) -> None:
    prefix = coin_of(ChainId(f"bip122:{chain}")).p2pkh[0]
    account = AccountId(f"bip122:{chain}:{base58_check(prefix + hash160(PUBLIC.format()))}")
    path = declare(tmp_path, account)
    record = json.loads(run("wallets", "challenge", path, "--json")[1])
    assert [one["scheme"] for one in record["challenges"]] == ["bitcoin-message"]
    keys = keys_file(tmp_path, entry(account, f'secret = "{SECRET.hex()}"'))
    assert run("wallets", "sign", path, "--keys", keys, "--out", tmp_path / "signed.json")[0] == 0
