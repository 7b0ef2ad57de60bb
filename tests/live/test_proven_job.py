"""The main job with proofs on two real chains: what it takes to be proven, and who has to say so."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("milagro_bls_binding", reason="needs reserve-verifier[lightclient]")

from chains.errors import ChainError
from chains.ids import ChainId
from chains.model import Balance
from chains.providers import Providers
from tests.live.beacon_facade import AnvilBeacon, served
from tests.live.real_sides import AnvilSide, KnotsSide
from tests.live.record_runs import real_exchange
from verifier.attestation.bundle import seal_manifest
from verifier.coin_sets import extract_name, file_name
from verifier.demo.exchange import PlayedExchange
from verifier.demo.story import price_records_of
from verifier.errors import InputError
from verifier.report.limits import limits
from verifier.report.record import balance_counts
from verifier.run import Collected, collect
from verifier.verdict import Verdict
from verifier.verification import Verification, verify_bundle

pytestmark = [pytest.mark.real_bitcoind, pytest.mark.real_anvil]


class Published:
    """A bundle with proofs on both chains, and the roots of its two."""

    def __init__(self, folder: Path, exchange: PlayedExchange) -> None:
        knots, anvil = exchange.wallet("bitcoin hot").side, exchange.wallet("ethereum hot").side
        assert isinstance(knots, KnotsSide)
        assert isinstance(anvil, AnvilSide)
        self.bitcoin, self.ethereum = ChainId(knots.network.chain), ChainId(anvil.network.chain)
        self.coins = folder / "utxo.dat"
        dumped = knots.node.call("dumptxoutset", str(self.coins), "latest")
        self.set_hash: str = dumped["txoutset_hash"]
        beacon = AnvilBeacon(anvil.harness.anvil)
        self.checkpoint = beacon.checkpoint
        anvil.harness.advance()
        declaration = exchange.publish(folder / "in", price_records_of(exchange))
        bitcoin, ethereum = exchange.providers().providers
        with served(beacon) as light_client:
            voices = (bitcoin, replace(ethereum, options=(("proofs", "on"),)), light_client)
            knots.node.mine()  # this node reads balances at its tip only: it cannot confirm one at the set's block
            self.done: Collected = collect(
                declaration,
                Providers(voices, 1),
                folder / "run",
                folder / "in" / "liabilities",
                folder / "in" / "prices.json",
                utxo_sets=[self.coins],
            )
        self.bundle = self.done.bundle

    def verify(self, *roots: str, **named: Any) -> Verification:
        return verify_bundle(self.bundle, trusted_roots=roots, **named)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    with real_exchange(users=30) as exchange:
        yield Published(tmp_path_factory.mktemp("proven"), exchange)


def counts(result: Verification) -> dict[str, set[str]]:
    return {chain: set(found) for chain, found in balance_counts(result.case).items()}


def test_with_both_roots_every_balance_is_proven_and_no_provider_is_asked(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.socket", None)
    result = published.verify(published.checkpoint, published.set_hash)
    assert (result.verdict, result.case.digest) == (Verdict.PASS, published.done.case.digest)
    assert counts(result) == {published.bitcoin: {"proven"}, published.ethereum: {"proven"}}
    assert any("Every coin on" in finding.text for finding in result.rechecked)


def test_a_root_that_only_the_publisher_names_raises_nothing(published: Published) -> None:
    result = published.verify()
    assert counts(result) == {
        published.bitcoin: {"declared + UTXO set"},
        published.ethereum: {"observed + state proof"},
    }
    said = " ".join(limits(result))
    assert f"lead to the root {published.checkpoint}, chosen by whoever made this bundle" in said
    assert f"lead to the root {published.set_hash}" in said
    half = published.verify(published.set_hash)
    assert counts(half) == {published.bitcoin: {"proven"}, published.ethereum: {"observed + state proof"}}


def test_a_root_of_somebody_else_is_said_to_meet_nothing(published: Published) -> None:
    result = published.verify("0x" + "ab" * 32)
    assert f"You trust the root {'ab' * 32}: no proof in this bundle leads to it." in limits(result)
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        published.verify("my node")


def copied(published: Published, folder: Path) -> Path:
    shutil.copytree(published.bundle, folder)
    return folder


def test_a_set_that_is_only_named_proves_nothing_until_somebody_brings_it(published: Published, tmp_path: Path) -> None:
    bundle = copied(published, tmp_path / "run")
    (bundle / file_name(published.bitcoin)).unlink()
    seal_manifest(bundle, published.done.case.digest)
    roots = (published.checkpoint, published.set_hash)
    without = verify_bundle(bundle, trusted_roots=roots)
    assert counts(without)[published.bitcoin] == {"declared + UTXO set"}
    assert any("(--utxo-set)" in sentence for sentence in limits(without))
    assert counts(verify_bundle(bundle, trusted_roots=roots, utxo_sets=[published.coins]))[published.bitcoin] == {
        "proven"
    }
    other = tmp_path / "other.dat"
    content = bytearray(published.coins.read_bytes())
    content[11] ^= 1  # the base block's hash
    other.write_bytes(content)
    with pytest.raises(ChainError, match="the bundle speaks of the one after block"):
        verify_bundle(bundle, trusted_roots=roots, utxo_sets=[other])


def _forge(published: Published, folder: Path) -> tuple[Path, dict[str, Any]]:
    bundle = copied(published, folder)
    extract = json.loads((bundle / extract_name(published.bitcoin)).read_text())
    return bundle, extract


def _with(bundle: Path, published: Published, extract: dict[str, Any]) -> Path:
    from verifier.canonical import canonical_json

    (bundle / extract_name(published.bitcoin)).write_bytes(canonical_json(extract))
    seal_manifest(bundle, published.done.case.digest)
    return bundle


def test_a_coin_added_to_the_extract_makes_another_case(published: Published, tmp_path: Path) -> None:
    bundle, extract = _forge(published, tmp_path / "run")
    script = next(script for script, coins in extract["scripts"].items() if coins)
    extract["scripts"][script].append(["ab" * 32, 0, "100000000", 5, False])
    with pytest.raises(InputError, match="the evidence gives the case"):
        verify_bundle(_with(bundle, published, extract))


def test_an_extract_with_other_coins_of_the_same_worth_is_a_contradiction_that_fails(
    published: Published, tmp_path: Path
) -> None:
    bundle, extract = _forge(published, tmp_path / "run")
    coins = next(coins for coins in extract["scripts"].values() if coins)
    coins[0][0] = "ab" * 32
    result = verify_bundle(_with(bundle, published, extract), trusted_roots=[published.set_hash])
    assert result.verdict is Verdict.FAIL
    assert counts(result)[published.bitcoin] == {"declared + UTXO set"}
    assert any("are not those of the set it names" in finding.text for finding in result.rechecked)


def test_the_proven_numbers_are_those_of_the_chain(published: Published) -> None:
    for position in published.verify(published.checkpoint, published.set_hash).case.positions:
        assert isinstance(position.result, Balance)
        assert position.result.root
        assert position.result.units > 0
