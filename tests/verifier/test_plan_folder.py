"""A plan follows from its run byte for byte, and every user finds the own payout with the receipt they hold."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner, Result

from tests.verifier.played import ETH, played
from verifier.attestation.bundle import seal_manifest
from verifier.canonical import canonical_json
from verifier.cli.main import app
from verifier.compensation import claim_tree
from verifier.demo.exchange import PlayedExchange
from verifier.errors import InputError
from verifier.inclusion.amounts import parse_amount
from verifier.liabilities.build import prove
from verifier.log.note import new_key
from verifier.report.words import words_of
from verifier.run import collect

HACK = {
    "format": "reserve-verifier/incident/1", "id": "hack", "at": "2026-01-02T05:00:00Z", "currency": "JPY",
    "losses": [{"pool": "client-cold", "fraction": "1/2"}], "tiers": ["1000"],
}  # fmt: skip


class Desk(NamedTuple):
    """A collected run, the exchange behind it, and a folder for what is made of it."""

    folder: Path
    run: Path
    exchange: PlayedExchange

    def plan(self, name: str = "plan", strategy: str = "same-asset-first", *more: str, **change: Any) -> Result:
        told = self.folder / f"{name}.incident.json"
        told.write_text(json.dumps(HACK | change))
        words = ["plan", self.run, "--incident", told, "--strategy", strategy, "--out", self.folder / name, *more]
        return CliRunner().invoke(app, [str(word) for word in words])

    def receipt(self, account: str) -> Path:
        path = self.folder / f"{account}.json"
        path.write_bytes(prove(self.exchange.tree, account).to_json())
        return path

    def paid(self, account: str, name: str = "plan") -> dict[str, Any]:
        words = ["check", self.receipt(account), "--plan", self.folder / name, "--json"]
        done = CliRunner().invoke(app, [str(word) for word in words])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        found: dict[str, Any] = json.loads(done.stdout)["payouts"][0]
        return found

    def check(self, name: str = "plan") -> Result:
        return CliRunner().invoke(app, ["plan", str(self.run), "--check", str(self.folder / name)])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with played(tmp_path / "in") as (inputs, _):
        collect(inputs.declaration, inputs.providers, tmp_path / "run", inputs.liabilities, inputs.prices)
        yield Desk(tmp_path, tmp_path / "run", inputs.exchange)


def document(desk: Desk, name: str = "plan") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((desk.folder / name / "plan.json").read_bytes())
    return found


def test_what_every_user_finds_adds_up_to_what_the_plan_draws(desk: Desk) -> None:
    done = desk.plan()
    assert done.exit_code in (0, 1), done.output
    told = document(desk)
    chosen = next(one for one in told["strategies"] if one["strategy"] == told["chosen"])
    drawn: dict[str, int] = {}
    for draw in chosen["draws"]:
        drawn[draw["unit"]] = drawn.get(draw["unit"], 0) + int(draw["used"])
    found = {ETH: 0, "JPY": 0}
    for account in desk.exchange.tree.accounts():
        payout = desk.paid(account)
        assert payout["verdict"] == "accepted"
        amounts = payout["amounts"]
        assert bool(amounts) or not any(desk.exchange.tree.owed(account))
        found[ETH] += parse_amount(amounts.get("ETH", "0"), 18)
        found["JPY"] += parse_amount(amounts.get("JPY", "0"), 0)
    assert found == drawn


def test_a_plan_is_the_same_bytes_again_and_every_change_is_named(desk: Desk) -> None:
    desk.plan()
    assert desk.check().exit_code == 0, desk.check().output
    desk.plan("again")
    first, again = desk.folder / "plan", desk.folder / "again"
    assert {path.name: path.read_bytes() for path in first.rglob("*.json")} == {
        path.name: path.read_bytes() for path in again.rglob("*.json")
    }
    rows = (first / "payouts.csv").read_text().splitlines()
    (first / "payouts.csv").write_text("\n".join([rows[0], *rows[2:]]) + "\n")
    assert isinstance(desk.check().exception, InputError)  # the manifest names it
    case = json.loads((first / "manifest.json").read_bytes())["case"]
    seal_manifest(first, case, "reserve-verifier/plan-folder/1")
    changed = desk.check()
    assert (changed.exit_code, "payouts.csv: is not what follows" in changed.output) == (1, True), changed.output
    with pytest.raises(InputError, match="does not belong to"):
        desk.paid(desk.exchange.tree.accounts()[0])


def test_a_document_that_names_another_tree_of_claims_is_refused(desk: Desk) -> None:
    desk.plan()
    told = document(desk) | {"claims": "ab" * 32}
    (desk.folder / "plan" / "plan.json").write_bytes(canonical_json(told))
    seal_manifest(desk.folder / "plan", told["case"], "reserve-verifier/plan-folder/1")
    with pytest.raises(InputError, match="not the one its document names"):
        desk.paid(next(name for name in desk.exchange.tree.accounts() if any(desk.exchange.tree.owed(name))))


def test_a_receipt_of_another_run_finds_nothing(desk: Desk) -> None:
    desk.plan()
    other = desk.exchange.understating("user-0000001")
    path = desk.folder / "other.json"
    path.write_bytes(prove(other.tree, "user-0000001").to_json())
    done = CliRunner().invoke(app, ["check", str(path), "--plan", str(desk.folder / "plan"), "--json"])
    payout = json.loads(done.stdout)["payouts"][0]
    assert (payout["verdict"], payout["findings"][0]["code"], done.exit_code) == ("refused", "another-tree", 1)


def test_a_changed_receipt_finds_nothing(desk: Desk) -> None:
    desk.plan()
    path = desk.receipt("user-0000001")
    record = json.loads(path.read_bytes())
    record["leaves"][0]["balances"] = [str(int(one) + 1) for one in record["leaves"][0]["balances"]]
    path.write_text(json.dumps(record))
    done = CliRunner().invoke(app, ["check", str(path), "--plan", str(desk.folder / "plan"), "--json"])
    assert json.loads(done.stdout)["payouts"][0]["verdict"] == "refused"


def test_strategies_write_different_payouts_and_each_derives_again(desk: Desk) -> None:
    digests = set()
    for strategy in ("same-asset-first", "pro-rata", "small-accounts-whole", "priority-tiers"):
        desk.plan(strategy, strategy)
        digests.add(document(desk, strategy)["claims"])
        assert desk.check(strategy).exit_code == 0
    assert len(digests) == 4


def test_many_claims_go_through_the_engine_of_large_trees_and_give_the_same_answers(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.plan("small")
    monkeypatch.setattr(claim_tree, "LARGE", 0)
    desk.plan("large")
    assert (desk.folder / "large" / "payouts.parquet").exists()
    assert not (desk.folder / "large" / "claims" / "private").exists()
    assert document(desk, "small") == document(desk, "large")
    for account in desk.exchange.tree.accounts()[:10]:
        assert desk.paid(account, "small")["amounts"] == desk.paid(account, "large")["amounts"]
    assert desk.check("large").exit_code == 0


def test_a_plan_is_sealed_and_entered_in_a_log_like_a_run(desk: Desk) -> None:
    key = desk.folder / "key.pem"
    new_key(key)
    desk.plan("plan", "pro-rata", "--key", str(key))
    assert json.loads((desk.folder / "plan.dsse.json").read_bytes())["signatures"]
    log = ["--origin", "sakura.example/log", "--key", str(key)]
    assert CliRunner().invoke(app, ["log", "init", str(desk.folder / "log"), *log]).exit_code == 0
    entered = CliRunner().invoke(app, ["log", "append", str(desk.folder / "log"), str(desk.folder / "plan"), *log])
    assert entered.exit_code == 0, entered.output


def test_two_plans_are_compared_like_two_runs(desk: Desk) -> None:
    desk.plan("first", "pro-rata")
    desk.plan("same", "pro-rata")
    desk.plan("other", "small-accounts-whole", losses=[{"scope": "all-hot"}])

    def told(second: str) -> list[str]:
        words = ["log", "diff", str(desk.folder / "first"), str(desk.folder / second), "--json"]
        return [change["code"] for change in json.loads(CliRunner().invoke(app, words).stdout)["changes"]]

    assert told("same") == []
    assert {"incident-changed", "shortage-moved", "strategy-changed", "claims-changed"} <= set(told("other"))
    mixed = CliRunner().invoke(app, ["log", "diff", str(desk.folder / "first"), str(desk.run)])
    assert isinstance(mixed.exception, InputError)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--strategy", "magic"], "unknown strategy"),
        ([], "--incident"),
        (["--incident", "nowhere.json"], "nowhere.json"),
    ],
)
def test_a_plan_that_cannot_be_asked_for_says_what_to_do(desk: Desk, words: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["plan", str(desk.run), *words])
    assert said in str(done.exception)


def test_a_plan_is_not_written_over_another(desk: Desk) -> None:
    desk.plan()
    assert "exists already" in str(desk.plan().exception)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_plan_is_a_page_with_every_strategy_and_who_approves(desk: Desk, language: str) -> None:
    page = desk.folder / "plan.html"
    words = ("--pack", "jp-liability-reserve", "--report", str(page), "--lang", language)
    done = desk.plan("page", "pro-rata", *words, losses=[{"pool": "client-hot", "fraction": "1"}])
    assert done.exit_code in (0, 1, 2), done.output
    text = page.read_text("utf-8")
    say = words_of(language)
    for name in ("same-asset-first", "pro-rata", "small-accounts-whole", "priority-tiers"):
        assert say(f"plan.strategy.{name}") in text
    assert say("plan.no_day") in text
    assert ("46-5" in text, "<script" in text) == (True, False)
    assert text.count("<svg") >= 3
    assert "default-src 'none'" in text
    again = desk.folder / "again.html"
    desk.plan("other", "pro-rata", *words[:3], str(again), *words[4:], losses=[{"pool": "client-hot", "fraction": "1"}])
    assert again.read_text("utf-8") == text
    other = words_of("ja" if language == "en" else "en")
    assert other("plan.strategies_lead") not in text
