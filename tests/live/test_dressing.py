"""A snapshot that was dressed fails, its honest twin passes, and what was not looked at stays open: on real chains."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from chains.evm.keccak import keccak256
from chains.ids import AccountId, AssetId, address_of
from tests.live.anvil import AnvilHarness, harness, running_anvil
from tests.live.bitcoind import history_harness, litecoin_harness
from tests.live.played_days import AnvilDays, KnotsDays, strict_findings
from verifier.policy.finding import Finding
from verifier.verdict import Verdict

OWED, LENT = 100_000, 60_000
Findings = dict[tuple[str, str], Finding]


@pytest.fixture(scope="module")
def anvil() -> Iterator[AnvilDays]:
    with harness() as node:
        yield AnvilDays(node)


def play_tokens(days: AnvilDays, folder: Path, *, dressed: bool, window: int = 9, after: int = 72) -> Findings:
    """Ten days before the snapshot and three after it; the dressed exchange borrows for a day around it."""
    cold, lender = days.fund(OWED - LENT if dressed else OWED), days.fund(LENT)
    days.pass_hours(10 * 24 - 12)
    if dressed:
        days.move(lender, cold, LENT)
    days.pass_hours(12)
    as_of = days.now()
    days.pass_hours(min(12, after))
    if dressed:
        days.move(cold, lender, LENT)
    days.pass_hours(max(1, after - 12))
    wallets = {"client-cold": ([cold], [days.asset])}
    # The dressed exchange's coins are there at the snapshot; the run is read later, when they are gone again.
    return strict_findings(folder, days.provider, wallets, {days.asset: OWED}, as_of, window)


@pytest.mark.real_anvil
def test_borrowed_for_the_day_fails_and_the_honest_twin_passes(anvil: AnvilDays, tmp_path: Path) -> None:
    dressed = play_tokens(anvil, tmp_path / "dressed", dressed=True)
    honest = play_tokens(anvil, tmp_path / "honest", dressed=False)
    subject = str(anvil.asset)
    for rule in ("STRICT-AVERAGE", "STRICT-LEAST", "STRICT-ROUND-TRIP", "STRICT-DEPARTURE"):
        assert dressed[rule, subject].verdict is Verdict.FAIL, dressed[rule, subject]
        assert honest[rule, subject].verdict is Verdict.PASS, honest[rule, subject]
    least = dressed["STRICT-LEAST", subject]
    assert least.measured == str(OWED - LENT)
    assert OWED - LENT < Fraction(dressed["STRICT-AVERAGE", subject].measured) < OWED // 2


@pytest.mark.real_anvil
def test_without_a_window_or_an_aftermath_nothing_is_said(anvil: AnvilDays, tmp_path: Path) -> None:
    subject = str(anvil.asset)
    unseen = play_tokens(anvil, tmp_path / "unseen", dressed=False, window=0)
    early = play_tokens(anvil, tmp_path / "early", dressed=False, after=13)
    for rule in ("STRICT-AVERAGE", "STRICT-LEAST", "STRICT-ROUND-TRIP", "STRICT-DEPARTURE", "STRICT-AGED"):
        assert unseen[rule, subject].verdict is Verdict.INDETERMINATE
    for rule in ("STRICT-ROUND-TRIP", "STRICT-DEPARTURE"):
        assert early[rule, subject].verdict is Verdict.INDETERMINATE
        assert "48 hours" in early[rule, subject].text
    assert early["STRICT-AVERAGE", subject].verdict is Verdict.PASS


@pytest.fixture(scope="module")
def bitcoin() -> Iterator[KnotsDays]:
    with history_harness() as node:
        yield KnotsDays(node)


@pytest.mark.real_litecoind
def test_litecoins_that_lie_still_are_seen_as_well(tmp_path: Path) -> None:
    with litecoin_harness() as node:
        days = KnotsDays(node)
        owed = 50_000_000
        still, moved = days.fund(owed), days.fund(owed)
        days.pass_hours(5 * 24)
        fresh = node.empty()
        days.spend([moved], {fresh: owed - 10_000})
        days.pass_hours(12)
        verdicts = [
            strict_findings(
                tmp_path / name, days.provider, {"client-cold": ([account], [days.asset])},
                {days.asset: owed - 10_000}, days.now(), 3,
            )["STRICT-AGED", str(days.asset)].verdict
            for name, account in (("still", still), ("moved", fresh))
        ]  # fmt: skip
    assert verdicts == [Verdict.PASS, Verdict.FAIL]


@pytest.mark.real_bitcoind
def test_coins_that_lie_still_bound_what_was_held_from_below(bitcoin: KnotsDays, tmp_path: Path) -> None:
    owed = 50_000_000
    still = bitcoin.fund(owed)
    moved = bitcoin.fund(owed)
    bitcoin.pass_hours(5 * 24)
    fresh = bitcoin.harness.empty()
    bitcoin.spend([moved], {fresh: owed - 1_000})
    bitcoin.pass_hours(12)
    subject, as_of = str(bitcoin.asset), bitcoin.now()

    def judged(name: str, account: AccountId, dialect: str) -> Finding:
        provider = replace(bitcoin.node.provider, dialect=dialect)
        wallets = {"client-cold": ([account], [bitcoin.asset])}
        owing = {bitcoin.asset: owed - 1_000}
        return strict_findings(tmp_path / name, provider, wallets, owing, as_of, 3)["STRICT-AGED", subject]

    assert judged("still", still, "bitcoin-core").verdict is Verdict.PASS
    assert judged("moved", fresh, "bitcoin-core").verdict is Verdict.FAIL
    unlisted = judged("unlisted", still, "bitcoin-core-history")
    assert (unlisted.verdict, "not listed" in unlisted.text) == (Verdict.INDETERMINATE, True)


@pytest.mark.real_bitcoind
def test_bitcoin_that_was_lent_out_in_between_is_seen(bitcoin: KnotsDays, tmp_path: Path) -> None:
    owed = 40_000_000
    cold, borrower = bitcoin.fund(owed), bitcoin.harness.empty()
    bitcoin.pass_hours(5 * 24)
    bitcoin.spend([cold], {borrower: owed - 1_000})
    bitcoin.pass_hours(24)
    bitcoin.spend([borrower], {cold: owed - 2_000})
    bitcoin.pass_hours(12)
    wallets = {"client-cold": ([cold], [bitcoin.asset])}
    found = strict_findings(tmp_path, bitcoin.provider, wallets, {bitcoin.asset: owed - 2_000}, bitcoin.now(), 3)
    subject = str(bitcoin.asset)
    assert (found["STRICT-LEAST", subject].verdict, found["STRICT-LEAST", subject].measured) == (Verdict.FAIL, "0")
    assert found["STRICT-AVERAGE", subject].verdict is Verdict.FAIL


def play_native(days: AnvilDays, folder: Path, *, lent: bool) -> Findings:
    """Two weeks with native coins, whose transfers no node lists; the dressed exchange lends them out for ten days."""
    native = AssetId(days.harness.network.native_asset)
    cold, borrower = days.harness.fund(10**18), days.harness.empty()
    days.pass_hours(48)
    if lent:
        days.send_native(cold, borrower, 8 * 10**17)
    days.pass_hours(240)
    if lent:
        days.send_native(borrower, cold, 79 * 10**16)
    days.pass_hours(24)
    return strict_findings(
        folder, days.provider, {"client-cold": ([cold], [native])}, {native: 98 * 10**16}, days.now(), 12
    )


@pytest.mark.real_anvil
def test_drawn_blocks_show_native_coins_that_were_lent_out(anvil: AnvilDays, tmp_path: Path) -> None:
    subject = str(anvil.harness.network.native_asset)
    honest = play_native(anvil, tmp_path / "honest", lent=False)["STRICT-DRAWN", subject]
    lent = play_native(anvil, tmp_path / "lent", lent=True)["STRICT-DRAWN", subject]
    assert (honest.verdict, lent.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert int(lent.measured) < 10**18 // 2


@pytest.mark.real_anvil
def test_a_node_that_forgets_the_past_leaves_the_drawn_blocks_open(tmp_path: Path) -> None:
    with running_anvil("--prune-history", "8") as node:
        found = play_native(AnvilDays(AnvilHarness(node, "json-rpc")), tmp_path, lent=False)
    drawn = next(finding for (rule, _), finding in found.items() if rule == "STRICT-DRAWN")
    assert drawn.verdict is Verdict.INDETERMINATE


@pytest.mark.real_anvil
def test_a_token_whose_balances_change_without_transfers_says_nothing(anvil: AnvilDays, tmp_path: Path) -> None:
    cold = anvil.fund(OWED)
    anvil.pass_hours(72)
    slot = keccak256(bytes(12) + bytes.fromhex(address_of(cold)[2:]) + (1).to_bytes(32))
    anvil.anvil.rpc("anvil_setStorageAt", anvil.harness.token_address, "0x" + slot.hex(), f"0x{2 * OWED:064x}")
    anvil.pass_hours(2)
    found = strict_findings(
        tmp_path, anvil.provider, {"client-cold": ([cold], [anvil.asset])}, {anvil.asset: OWED}, anvil.now(), 1
    )
    for rule in ("STRICT-AVERAGE", "STRICT-LEAST", "STRICT-DRAWN"):
        finding = found[rule, str(anvil.asset)]
        assert (finding.verdict, "its transfers say" in finding.text) == (Verdict.INDETERMINATE, True), finding
    assert found["STRICT-COVERAGE", str(anvil.asset)].measured == "0..200000"
