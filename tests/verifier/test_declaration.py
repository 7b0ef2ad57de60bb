"""A declaration with a mistake gets one line that names the field; coins declared twice are found however named."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey

from chains.bitcoin.address import address_of_script
from chains.embedded.bitcoin_transaction import Key
from chains.network import network_of
from verifier.declaration import Declaration, load_declaration, parse_declaration
from verifier.errors import InputError, UnavailableError
from verifier.reserves import place_holdings

REGTEST = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328"
BTC = f"{REGTEST}/slip44:1"
DEV = "eip155:31337"
ETH = f"{DEV}/slip44:60"
KEY = Key(PrivateKey(b"\x01" * 32).secret)
ADDRESS = address_of_script(network_of(REGTEST), KEY.p2wpkh)  # type: ignore[arg-type]

GOOD: dict[str, Any] = {
    "format": "reserve-verifier/declaration/1",
    "exchange": {"name": "Test", "id": "test.example"},
    "as_of": "2026-11-22T00:00:00Z",
    "assets": [
        {"asset": BTC, "symbol": "BTC", "decimals": 8},
        {"asset": ETH, "symbol": "ETH", "decimals": 18},
    ],
    "wallets": [
        {"account": f"{REGTEST}:{ADDRESS}", "assets": [BTC], "pool": "client-cold"},
        {"account": f"{DEV}:0x52908400098527886E0F7030069857D2E4169EE7", "assets": [ETH], "pool": "client-hot"},
    ],
    "off_chain": [
        {"pool": "fiat-trust", "currency": "JPY", "units": "1000", "decimals": 0, "document": "0" * 64},
    ],
}


def parse(record: Any) -> Declaration:
    return parse_declaration(json.dumps(record).encode(), "declaration.json")


def changed(path: str, value: Any) -> dict[str, Any]:
    record = copy.deepcopy(GOOD)
    target: Any = record
    *parts, last = path.split(".")
    for part in parts:
        target = target[int(part) if part.isdigit() else part]
    target[int(last) if last.isdigit() else last] = value
    return record


def test_a_good_declaration_round_trips_to_the_same_digest() -> None:
    declaration = parse(GOOD)
    assert parse(declaration.to_record()).digest == declaration.digest
    assert len(place_holdings(declaration).placements) == 2


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("as_of", "yesterday", "as_of: .*UTC time such as"),
        ("as_of", "2026-11-22T00:00:00+09:00", "as_of: "),
        ("wallets.0.pool", "slush", "wallets.0.pool: "),
        ("wallets.0.assets", [], "wallets.0.assets: "),
        ("wallets.0.assets", ["eip155:1/slip44:60"], "wallets.0: unknown asset eip155:1/slip44:60"),
        ("wallets.0.account", "bc1qnochain", "wallets.0.account: .*CAIP-10"),
        ("wallets.0.surprise", 1, "wallets.0.surprise: "),
        ("wallets.0.descriptor", "addr(x)", "wallets.0: .*either `account` or `descriptor`"),
        ("off_chain.0.units", "-5", "off_chain.0.units: "),
        ("off_chain.0.units", 5, "off_chain.0.units: "),
        ("off_chain.0.units", 1.5, "off_chain.0.units: "),
        ("off_chain.0.units", "1e3", "off_chain.0.units: "),
        ("assets.1", GOOD["assets"][0], "an asset is listed twice"),
        ("assets.0.decimals", "8", "assets.0.decimals: "),
        ("format", "reserve-verifier/declaration/99", "format: "),
        ("liabilities", "abc", "liabilities: "),
    ],
)
def test_a_mistake_is_named_with_its_path(path: str, value: Any, said: str) -> None:
    with pytest.raises(InputError, match=f"^declaration.json: .*{said}"):
        parse(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("wallets.1.account", f"{DEV}:0x52908400098527886E0F7030069857D2E4169eE7", r"wallets.1: .*0x5290840009852788"),
        ("wallets.1.account", f"{DEV}:0x5290", r"wallets.1: "),
        ("wallets.0.account", f"{REGTEST}:{ADDRESS}"[:-1] + "q", r"wallets.0: "),
        ("wallets.0.account", f"{REGTEST}:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", r"wallets.0: "),
        ("wallets.0.account", "eip155:424242424242:0x52908400098527886E0F7030069857D2E4169EE7", "no such network"),
        ("wallets.1.assets", [BTC], "is not on the chain of"),
    ],
)
def test_an_address_that_is_wrong_for_its_chain_is_named(path: str, value: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        place_holdings(parse(changed(path, value)))


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b'{"a":NaN}', b"[" * 100_000, b'{"a":1,"a":2}'])
def test_a_file_that_is_no_declaration_is_refused_in_one_line(text: bytes) -> None:
    with pytest.raises(InputError, match=r"^declaration\.json: "):
        parse_declaration(text, "declaration.json")


def test_a_file_that_cannot_be_read_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        load_declaration(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    "second",
    [
        {"account": f"{REGTEST}:{ADDRESS}"},
        {"account": f"{REGTEST}:{str(ADDRESS).upper()}"},
        {"chain": REGTEST, "descriptor": f"addr({ADDRESS})"},
        {"chain": REGTEST, "descriptor": f"wpkh({KEY.public.hex()})"},
    ],
)
@pytest.mark.parametrize("pool", ["client-cold", "proprietary"])
def test_the_same_coins_are_found_however_they_are_named(second: dict[str, str], pool: str) -> None:
    record = copy.deepcopy(GOOD)
    record["wallets"].append({**second, "assets": [BTC], "pool": pool})
    found = place_holdings(parse(record))
    assert [(overlap.first.wallet, overlap.second.wallet) for overlap in found.overlaps] == [(0, 2)]
    assert len(found.placements) == 2


def test_a_descriptor_range_that_meets_an_address_is_an_overlap() -> None:
    xpub = (
        "tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87V"
        "Kp"
    )
    from chains.bitcoin.descriptor import expand

    descriptor = f"wpkh({xpub}/0/*)"
    fourth = expand(network_of(REGTEST), descriptor, 3, 3)[0]  # type: ignore[arg-type]
    record = copy.deepcopy(GOOD)
    record["wallets"] = [
        {"chain": REGTEST, "descriptor": descriptor, "last_index": 9, "assets": [BTC], "pool": "client-cold"},
        {"account": f"{REGTEST}:{fourth}", "assets": [BTC], "pool": "reserve-fund"},
    ]
    found = place_holdings(parse(record))
    assert len(found.placements) == 10
    assert found.overlaps[0].holding.account.endswith(fourth)
