"""Extracts of UTXO sets: they keep what the set says, come back as written, and are checked against the set."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.bitcoin.address import script_of
from chains.bitcoin.utxo.extract import Extract, contradiction, extract_coins, extract_record, read_extract
from chains.bitcoin.utxo.scan import UnspentCoin
from chains.errors import InvalidAnswerError, NetworkDataError, ProofError
from chains.ids import AccountId, AssetId, ChainId
from chains.model import BlockRef, Holding
from chains.network import network_of
from tests.chains.snapshot_writer import Written, headerless, in_order, store, version_2
from verifier.canonical import canonical_json

REGTEST = network_of(ChainId("bip122:0f9188f13cb7b2c71f2a335e3a4fc328"))
LITECOIN = network_of(ChainId("bip122:12a765e31ffd4059bada1e25190f6e98"))
ADDRESSES = ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn")
BASE = bytes(range(32))


@dataclass(frozen=True)
class Set:
    path: Path
    extract: Extract


@pytest.fixture
def coins() -> list[Written]:
    scripts = [script_of(REGTEST, address) for address in ADDRESSES]
    rows = [(1, 0, scripts[0], 500), (1, 2, b"\x51", 7), (2, 1, scripts[0], 3), (9, 0, b"\x52", 11)]
    return in_order([Written(bytes([n]) * 32, vout, 2 * n + 1, units, script) for n, vout, script, units in rows])


@pytest.fixture
def whole(tmp_path: Path, coins: list[Written]) -> Set:
    path = store(tmp_path, version_2(coins, base=BASE))
    scripts = [script_of(REGTEST, address) for address in ADDRESSES]
    return Set(path, extract_coins(path, REGTEST, scripts))


def holding(address: str) -> Holding:
    return Holding(AccountId(f"{REGTEST.chain}:{address}"), AssetId(REGTEST.native_asset))


def block(block_hash: str = BASE[::-1].hex()) -> BlockRef:
    return BlockRef(ChainId(REGTEST.chain), 100, block_hash, 1)


def test_declared_scripts_have_their_coins_and_others_are_left_out(whole: Set) -> None:
    held = {script: [coin.units for coin in found] for script, found in whole.extract.scripts.items()}
    first, second = (script_of(REGTEST, address).hex() for address in ADDRESSES)
    assert held == {first: [500, 3], second: []}
    assert (whole.extract.coin_count, whole.extract.base_hash) == (4, BASE[::-1].hex())
    readings = whole.extract.prove_balances(block(), [holding(address) for address in ADDRESSES])
    assert [(reading.units, reading.failure) for reading in readings] == [(503, ""), (0, "")]
    assert all(reading.evidence == (f"utxo-set:{whole.extract.root}",) for reading in readings)


def test_what_the_extract_does_not_speak_of_is_a_failure_and_never_zero(whole: Set) -> None:
    stranger = holding("bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry")
    token = holding(ADDRESSES[0])._replace(asset=AssetId("eip155:1/slip44:60"))
    failed = whole.extract.prove_balances(block(), [stranger, token])
    assert [reading.units for reading in failed] == [None, None]
    assert "does not speak of the script" in failed[0].failure
    (elsewhere,) = whole.extract.prove_balances(block("ab" * 32), [holding(ADDRESSES[0])])
    assert elsewhere.units is None
    assert "is of block" in elsewhere.failure


def record(extract: Extract) -> dict[str, Any]:
    return extract_record(extract)


def test_a_written_extract_is_read_back_as_it_was(whole: Set) -> None:
    assert read_extract(canonical_json(record(whole.extract)), "x", REGTEST) == whole.extract


_HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
_COINS = st.builds(
    UnspentCoin,
    _HASHES,
    st.integers(0, 2**32 - 1),
    st.integers(0, 10**12),
    st.integers(0, 2**31 - 1),
    st.booleans(),
)


@given(
    st.dictionaries(
        st.binary(max_size=40).map(bytes.hex),
        st.lists(_COINS, max_size=3, unique_by=lambda coin: coin[:2]).map(tuple),
        max_size=4,
    ),
    _HASHES,
)
def test_any_extract_comes_back_from_its_bytes(scripts: dict[str, tuple[UnspentCoin, ...]], root: str) -> None:
    extract = Extract(REGTEST.chain, root, 5, root, scripts)
    outpoints = [coin[:2] for held in scripts.values() for coin in held]
    if len(set(outpoints)) == len(outpoints):
        assert read_extract(canonical_json(record(extract)), "x", REGTEST) == extract


def _changed(entry: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return entry | fields


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: _changed(r, format="another"), "format"),
        (lambda r: _changed(r, chain="bip122:000000000019d6689c085ae165831e93"), "is of 'bip122:0000"),
        (lambda r: _changed(r, hash_serialized="AB" * 32), "hash_serialized"),
        (lambda r: _changed(r, more=1), "more"),
        (lambda r: _changed(r, scripts={"zz": []}), "scripts"),
        (lambda r: _changed(r, scripts={"51": [["ab" * 32, 0, "1", 1]]}), "scripts"),
        (lambda r: _changed(r, scripts={"51": [["ab" * 32, 0, 1, 1, False]]}), "units"),
        (lambda r: _changed(r, scripts={"51": [["ab" * 32, -1, "1", 1, False]]}), "vout"),
        (lambda r: _changed(r, scripts={"51": [["ab" * 32, 0, "1", 1, 0]]}), "coinbase"),
        (lambda r: _changed(r, scripts={"51": [["ab" * 32, 0, "1", 1, False]] * 2}), "the same coin twice"),
        (
            lambda r: _changed(
                r, scripts={"51": [["ab" * 32, 0, "1", 1, False]], "52": [["ab" * 32, 0, "1", 1, False]]}
            ),
            "the same coin twice",
        ),
        (lambda r: _changed(r, scripts={"51": [["ab" * 32, 0, "9" * 18, 1, False]]}), "more than there can be"),
    ],
)
def test_a_malformed_extract_is_refused_with_the_place(whole: Set, change: Any, reason: str) -> None:
    with pytest.raises(InvalidAnswerError, match=reason):
        read_extract(canonical_json(change(record(whole.extract))), "x", REGTEST)


def test_whatever_an_extract_tells_otherwise_than_its_set_is_found(whole: Set) -> None:
    assert contradiction(whole.extract, whole.path, REGTEST) == ""
    first, second = whole.extract.scripts
    coin = whole.extract.scripts[first][0]
    for changed in (
        coin._replace(units=coin.units + 1),
        coin._replace(height=coin.height + 1),
        coin._replace(vout=5),
        coin._replace(coinbase=not coin.coinbase),
    ):
        scripts = {**whole.extract.scripts, first: (changed, *whole.extract.scripts[first][1:])}
        assert "1 scripts have other coins" in contradiction(
            whole.extract._replace(scripts=scripts), whole.path, REGTEST
        )
    fewer = whole.extract._replace(scripts={first: whole.extract.scripts[first][:1], second: ()})
    assert "1 scripts have other coins" in contradiction(fewer, whole.path, REGTEST)


def test_another_set_is_told_apart_from_the_named_one(whole: Set, tmp_path: Path, coins: list[Written]) -> None:
    other = tmp_path / "other"
    other.mkdir()
    path = store(other, version_2(coins[:-1], base=BASE))
    with pytest.raises(NetworkDataError, match="the bundle speaks of the one after block"):
        contradiction(whole.extract, path, REGTEST)


def test_a_set_of_another_network_is_refused_by_its_magic_or_its_form(
    tmp_path: Path, coins: list[Written], whole: Set
) -> None:
    with pytest.raises(NetworkDataError, match="is no UTXO set of Litecoin"):
        extract_coins(whole.path, LITECOIN, [])
    older = store(tmp_path, headerless(coins, base=BASE))
    with pytest.raises(NetworkDataError, match="is no UTXO set of"):
        extract_coins(older, REGTEST, [])
    assert extract_coins(older, LITECOIN, [b"\x51"]).scripts["51"][0].units == 7


def test_a_damaged_set_gives_no_extract(whole: Set) -> None:
    content = whole.path.read_bytes()
    for size in (len(content) - 1, len(content) // 2, 60):
        whole.path.write_bytes(content[:size])
        with pytest.raises(ProofError):
            extract_coins(whole.path, REGTEST, [b"\x51"])
