"""The main job on two real chains: Bitcoin Knots and anvil, from declaration to verdict and to a caught theft."""

from dataclasses import replace
from pathlib import Path

import pytest

from chains.model import Balance, Tier
from chains.providers import Provider, Providers
from tests.live.esplora_facade import EsploraFacade
from tests.live.real_sides import KnotsSide
from tests.live.record_runs import real_exchange, spend_a_quarter
from verifier.demo.exchange import PlayedExchange
from verifier.demo.story import price_records_of
from verifier.run import collect
from verifier.verdict import Verdict
from verifier.verification import Verification, verify_bundle

PACKS = ("model-basic", "jp-psa-63-11")


def judge(exchange: PlayedExchange, folder: Path, providers: Providers | None = None) -> Verification:
    declaration = exchange.publish(folder / "in", price_records_of(exchange))
    inputs = declaration.parent
    asked = providers or exchange.providers()
    done = collect(declaration, asked, folder / "run", inputs / "liabilities", inputs / "prices.json")
    result = verify_bundle(folder / "run", PACKS)
    assert result.case.digest == done.case.digest
    return result


@pytest.mark.real_bitcoind
@pytest.mark.real_anvil
def test_an_honest_exchange_passes_and_the_same_one_fails_after_it_spent_reserves(tmp_path: Path) -> None:
    with real_exchange(users=100) as exchange:
        assert judge(exchange, tmp_path / "honest").verdict is Verdict.PASS
        spend_a_quarter(exchange)
        spent = judge(exchange, tmp_path / "spent")
    failed = {finding.rule for finding in spent.findings if finding.verdict is Verdict.FAIL}
    assert failed == {"BASIC-COVERAGE", "JP-COVERAGE"}


@pytest.mark.real_bitcoind
@pytest.mark.real_anvil
def test_operators_of_different_dialects_corroborate_each_other_on_both_chains(tmp_path: Path) -> None:
    with real_exchange(users=40) as exchange:
        side = exchange.wallet("bitcoin hot").side
        assert isinstance(side, KnotsSide)
        bitcoin, ethereum = exchange.providers().providers
        with EsploraFacade(side.node.call).server() as explorer:
            voices = (
                bitcoin,
                Provider("explorer", bitcoin.chain, "esplora", (), explorer.url),
                Provider(
                    "explorer through bitcoinlib", bitcoin.chain, "bitcoinlib", (("client", "mempool"),), explorer.url
                ),
                ethereum,
                replace(ethereum, operator="anvil through web3", dialect="web3"),
            )
            result = judge(exchange, tmp_path, Providers(voices, minimum_operators=2))
    assert result.verdict is Verdict.PASS
    known = [position.result for position in result.case.positions]
    assert all(isinstance(balance, Balance) and balance.tier is Tier.CORROBORATED for balance in known)
    assert {len(balance.operators) for balance in known if isinstance(balance, Balance)} == {2, 3}
