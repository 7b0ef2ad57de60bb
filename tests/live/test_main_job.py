"""The main job on two real chains: Bitcoin Knots and anvil, from declaration to verdict and to a caught theft."""

from pathlib import Path

import pytest

from tests.live.record_runs import real_exchange, spend_a_quarter
from verifier.demo.exchange import PlayedExchange
from verifier.demo.story import price_records_of
from verifier.run import Verification, collect, verify_bundle
from verifier.verdict import Verdict

PACKS = ("model-basic", "jp-psa-63-11")


def judge(exchange: PlayedExchange, folder: Path) -> Verification:
    declaration = exchange.publish(folder / "in", price_records_of(exchange))
    inputs = declaration.parent
    done = collect(declaration, exchange.providers(), folder / "run", inputs / "liabilities", inputs / "prices.json")
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
