"""Two exchanges on one real chain: a wallet both claim, coins both count, and coins that went round between them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from chains.ids import address_of
from tests.live.anvil import harness
from tests.live.bitcoind import history_harness
from tests.live.played_days import AnvilDays, KnotsDays, collected
from verifier.cli.main import app
from verifier.errors import InputError


@pytest.fixture(scope="module")
def anvil() -> Iterator[AnvilDays]:
    with harness() as node:
        yield AnvilDays(node)


def cross(*sources: Path) -> Result:
    return CliRunner().invoke(app, ["cross", *map(str, sources), "--json"])


@pytest.mark.real_anvil
def test_what_two_exchanges_have_in_common_is_found(anvil: AnvilDays, tmp_path: Path) -> None:
    first, second = anvil.fund(1_000), anvil.fund(1_000)
    anvil.pass_hours(48)
    # 1. An honest pair has nothing in common.
    ours = collected(
        tmp_path / "a", anvil.provider, {"client-cold": ([first], [anvil.asset])}, anvil.now(), 1, name="Alpha"
    )
    apart = collected(
        tmp_path / "b", anvil.provider, {"client-cold": ([second], [anvil.asset])}, anvil.now(), 1, name="Beta"
    )
    assert (cross(ours, apart).exit_code, json.loads(cross(ours, apart).stdout)["verdict"]) == (0, "pass")
    # 2. After Alpha's snapshot coins go to Beta, whose snapshot comes later; then they go home.
    anvil.move(first, second, 400)
    anvil.pass_hours(2)
    as_of = anvil.now()
    anvil.pass_hours(2)
    counting = collected(
        tmp_path / "c", anvil.provider, {"client-cold": ([second], [anvil.asset])}, as_of, 1, name="Beta"
    )
    done = cross(ours, counting)
    twice = json.loads(done.stdout)["counted_twice"]
    assert (done.exit_code, [(one["units"], one["parties"]) for one in twice]) == (1, [("400", ["Alpha", "Beta"])])
    anvil.move(second, first, 390)
    anvil.pass_hours(2)
    later = collected(tmp_path / "d", anvil.provider, {"client-cold": ([second], [anvil.asset])}, as_of, 1, name="Beta")
    back = collected(
        tmp_path / "e", anvil.provider, {"client-cold": ([first], [anvil.asset])}, anvil.now(), 1, name="Alpha"
    )
    done = cross(back, later)
    trips = json.loads(done.stdout)["round_trips"]
    assert (done.exit_code, [one["units"] for one in trips]) == (2, ["390"])
    # 3. One address in two declarations.
    claimed = collected(
        tmp_path / "f", anvil.provider, {"client-hot": ([first], [anvil.asset])}, anvil.now(), 0, name="Gamma"
    )
    done = cross(ours, claimed)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["shared_wallets"][0]["address"] == address_of(first).lower()
    assert json.loads(done.stdout)["without_window"] == ["Gamma"]


@pytest.mark.real_bitcoind
def test_bitcoin_that_two_exchanges_count_is_followed_through_its_transaction(tmp_path: Path) -> None:
    with history_harness() as node:
        days = KnotsDays(node)
        first, second = days.fund(50_000_000), days.fund(1_000_000)
        days.pass_hours(48)
        ours = collected(
            tmp_path / "a", days.provider, {"client-cold": ([first], [days.asset])}, days.now(), 1, name="Alpha"
        )
        days.spend([first], {second: 49_990_000})
        days.pass_hours(6)
        theirs = collected(
            tmp_path / "b", days.provider, {"client-cold": ([second], [days.asset])}, days.now(), 1, name="Beta"
        )
        # Alpha's own window ends before the spend: only a later run of Alpha's shows which coins it gave.
        again = collected(
            tmp_path / "c", days.provider, {"client-cold": ([first], [days.asset])}, days.now(), 1, name="Alpha"
        )
    assert cross(ours, theirs).exit_code == 0
    (twice,) = json.loads(cross(ours, theirs, again).stdout)["counted_twice"]
    assert (twice["units"], twice["parties"]) == ("49990000", ["Alpha", "Beta"])


def test_one_source_alone_is_refused() -> None:
    assert isinstance(cross(Path("alone")).exception, InputError)
