"""What a reserve fund could pay tomorrow, on real chains: free coins, new coinbases, old signatures, unknown tokens."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chains.bitcoin.address import address_of_script
from chains.embedded.bitcoin_transaction import Key
from chains.embedded.evm_tester import address_of_key
from chains.ids import AccountId, AssetId, account_id
from tests.live.anvil import harness
from tests.live.bitcoind import history_harness
from tests.live.played_days import AnvilDays, KnotsDays, strict_findings
from verifier.declaration import utc_text
from verifier.further import Plans
from verifier.observed import QuestionPlan
from verifier.ownership.signing import make_claim
from verifier.policy.finding import Finding
from verifier.verdict import Verdict

WITHIN_A_DAY, AT_ONCE = "STRICT-LIQUID", "STRICT-AT-ONCE"
DAY = 86_400


@pytest.fixture(scope="module")
def bitcoin() -> Iterator[KnotsDays]:
    with history_harness() as node:
        yield KnotsDays(node)


@pytest.fixture(scope="module")
def anvil() -> Iterator[AnvilDays]:
    with harness() as node:
        yield AnvilDays(node)


def fund_address(days: KnotsDays, secret: bytes) -> AccountId:
    address = address_of_script(days.harness.network, Key(secret).p2wpkh)
    return account_id(f"{days.harness.network.chain}:{address}")


def judged(
    days: KnotsDays | AnvilDays, folder: Path, account: AccountId, secret: bytes, *, signed_days_ago: int = 0,
    dialect: str = "",
) -> dict[str, Finding]:  # fmt: skip
    """Judge a reserve fund of one wallet, whose key signed so many days before (-1: undated); rule → finding."""
    as_of = days.now()
    message = f"played.example, {utc_text(as_of - signed_days_ago * DAY)[:10]}" if signed_days_ago >= 0 else "ours"
    scheme = "bip-137" if account.startswith("bip122") else "eip-191"
    claim = make_claim(account, scheme, message, secret).model_dump(mode="json", exclude_none=True)
    provider = replace(days.provider, dialect=dialect) if dialect else days.provider
    pools = {"reserve-fund": ([account], [days.asset])}
    found = strict_findings(folder, provider, pools, {days.asset: 1}, as_of, 0, ownership=[claim])
    return {rule: found[rule, str(days.asset)] for rule in (WITHIN_A_DAY, AT_ONCE)}


@pytest.mark.real_bitcoind
def test_free_coins_pass_new_coinbases_fail_and_unlisted_coins_stay_open(bitcoin: KnotsDays, tmp_path: Path) -> None:
    free, mined = b"\x11" * 32, b"\x12" * 32
    bitcoin.node.call("sendtoaddress", fund_address(bitcoin, free).rpartition(":")[2], "0.5", wallet="miner")
    bitcoin.node.mine()
    bitcoin.node.call("generatetoaddress", 1, fund_address(bitcoin, mined).rpartition(":")[2])
    paid = judged(bitcoin, tmp_path / "free", fund_address(bitcoin, free), free, dialect="bitcoin-core")
    assert {(one.verdict, one.measured) for one in paid.values()} == {(Verdict.PASS, str(50_000_000))}
    new = judged(bitcoin, tmp_path / "mined", fund_address(bitcoin, mined), mined, dialect="bitcoin-core")
    assert (new[AT_ONCE].verdict, new[AT_ONCE].measured) == (Verdict.FAIL, "0")
    assert "coinbase younger than 100 blocks" in new[AT_ONCE].text
    assert new[WITHIN_A_DAY].verdict is Verdict.PASS  # a hundred blocks take less than a day
    unlisted = judged(bitcoin, tmp_path / "unlisted", fund_address(bitcoin, free), free)[AT_ONCE]
    assert (unlisted.verdict, "not listed" in unlisted.text) == (Verdict.INDETERMINATE, True)


@pytest.mark.real_bitcoind
def test_coins_that_cost_more_than_they_are_worth_are_no_money(bitcoin: KnotsDays, tmp_path: Path) -> None:
    secret = b"\x13" * 32
    account = fund_address(bitcoin, secret)
    for _ in range(3):
        bitcoin.node.call("sendtoaddress", account.rpartition(":")[2], "0.00002", wallet="miner")
    bitcoin.node.mine()
    found = judged(bitcoin, tmp_path, account, secret, dialect="bitcoin-core")[WITHIN_A_DAY]
    assert (found.verdict, "less than the fee" in found.text) == (Verdict.INDETERMINATE, True)


@pytest.mark.real_anvil
def test_a_signature_of_long_ago_does_not_show_that_the_signers_can_be_gathered(
    anvil: AnvilDays, tmp_path: Path
) -> None:
    secret = b"\x14" * 32
    account = account_id(f"{anvil.harness.network.chain}:{address_of_key(secret)}")
    anvil.anvil.send(to=address_of_key(secret), value=hex(10**18))
    anvil.asset = anvil.harness.network.native_asset  # type: ignore[assignment]
    assert judged(anvil, tmp_path / "fresh", account, secret)[WITHIN_A_DAY].verdict is Verdict.PASS
    old = judged(anvil, tmp_path / "old", account, secret, signed_days_ago=31)[WITHIN_A_DAY]
    assert (old.verdict, "older than 30 days" in old.text) == (Verdict.FAIL, True)
    undated = judged(anvil, tmp_path / "undated", account, secret, signed_days_ago=-1)[WITHIN_A_DAY]
    assert (undated.verdict, "states no date" in undated.text) == (Verdict.INDETERMINATE, True)


@pytest.mark.real_anvil
def test_a_token_nobody_has_described_leaves_it_open(anvil: AnvilDays, tmp_path: Path) -> None:
    secret = b"\x15" * 32
    account = account_id(f"{anvil.harness.network.chain}:{address_of_key(secret)}")
    token = anvil.harness.token()
    assert token is not None
    anvil.asset = token
    anvil.move(anvil.fund(70), account, 70)
    found = judged(anvil, tmp_path, account, secret)[WITHIN_A_DAY]
    assert (found.verdict, "unknown token" in found.text) == (Verdict.INDETERMINATE, True)


@pytest.mark.real_anvil
def test_the_market_and_the_drill_are_judged_by_what_is_stated(anvil: AnvilDays, tmp_path: Path) -> None:
    secret = b"\x16" * 32
    account = account_id(f"{anvil.harness.network.chain}:{address_of_key(secret)}")
    anvil.anvil.send(to=address_of_key(secret), value=hex(1_000))
    native = AssetId(anvil.harness.network.native_asset)
    message = f"played.example, {utc_text(anvil.now())[:10]}"
    claim = make_claim(account, "eip-191", message, secret).model_dump(mode="json", exclude_none=True)

    def found(name: str, volume: int | None, hours: int | None) -> list[Verdict]:
        stated: list[dict[str, str]] = []
        if volume is not None:
            stated.append({"name": "average_daily_volume", "value": str(volume), "asset": native})
        if hours is not None:
            stated.append({"name": "drill_hours", "value": str(hours)})
        pools = {"reserve-fund": ([account], [native])}
        judged = strict_findings(
            tmp_path / name, anvil.provider, pools, {native: 1}, anvil.now(), 0, ownership=[claim], statements=stated
        )
        return [judged["STRICT-MARKET", native].verdict, judged["STRICT-DRILL", "attestation"].verdict]

    assert found("enough", 10_000, 24) == [Verdict.PASS] * 2
    assert found("too-much", 9_999, 25) == [Verdict.FAIL] * 2
    assert found("silent", None, None) == [Verdict.INDETERMINATE] * 2


@pytest.mark.real_anvil
def test_what_wallets_owe_to_a_lending_pool_is_counted(
    anvil: AnvilDays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = anvil.harness.token()
    assert token is not None
    native = AssetId(anvil.harness.network.native_asset)
    debtor, clean = anvil.harness.fund(70, token), anvil.harness.fund(10**18)
    # The test token plays the debt token of a pool that lent out native coins.
    monkeypatch.setattr("verifier.observed.debt_tokens", lambda: {token: native})
    monkeypatch.setattr("verifier.liquidity.debts.debt_tokens", lambda: {token: native})

    def found(name: str, account: AccountId, plans: Plans | None = None) -> Finding:
        asked = plans or Plans(None, QuestionPlan())
        pools = {"client-cold": ([account], [native])}
        return strict_findings(tmp_path / name, anvil.provider, pools, {native: 1}, anvil.now(), 0, plans=asked)[
            "STRICT-DEBT", native
        ]

    assert found("clean", clean).verdict is Verdict.PASS
    owing = found("owing", debtor)
    assert (owing.verdict, owing.measured) == (Verdict.FAIL, "70")
    assert found("unasked", debtor, Plans()).verdict is Verdict.INDETERMINATE
