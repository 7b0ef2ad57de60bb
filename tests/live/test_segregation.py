"""Strictly separated, as the chain shows it: purposes, keys, spends and flows, each kept, broken and not to be told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chains.ids import AccountId, AssetId, account_id
from tests.live.anvil import harness
from tests.live.bitcoind import history_harness
from tests.live.played_days import AnvilDays, KnotsDays, strict_findings
from verifier.policy.finding import Finding
from verifier.verdict import Verdict

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INDETERMINATE


@pytest.fixture(scope="module")
def anvil() -> Iterator[AnvilDays]:
    with harness() as node:
        yield AnvilDays(node)


@pytest.fixture(scope="module")
def bitcoin() -> Iterator[KnotsDays]:
    with history_harness() as node:
        yield KnotsDays(node)


@pytest.mark.real_anvil
def test_one_address_has_one_purpose(anvil: AnvilDays, tmp_path: Path) -> None:
    cold, own = anvil.fund(100), anvil.fund(50)
    native = AssetId(anvil.harness.network.native_asset)

    def judged(name: str, company: list[AccountId]) -> Finding:
        wallets = {"client-cold": ([cold], [anvil.asset]), "proprietary": (company, [native])}
        found = strict_findings(tmp_path / name, anvil.provider, wallets, {anvil.asset: 100}, anvil.now(), 0)
        return found["STRICT-ONE-PURPOSE", "attestation"]

    assert judged("apart", [own]).verdict is PASS
    shared = judged("shared", [own, cold])
    assert (shared.verdict, shared.measured) == (FAIL, "1")
    assert "client-cold and proprietary" in shared.text


@pytest.mark.real_anvil
def test_only_fees_go_to_the_company(anvil: AnvilDays, tmp_path: Path) -> None:
    hot, own = anvil.fund(1_000), anvil.fund(1)
    anvil.pass_hours(48)
    anvil.move(hot, own, 30)
    anvil.pass_hours(2)
    subject = str(anvil.asset)
    wallets = {"client-hot": ([hot], [anvil.asset]), "proprietary": ([own], [anvil.asset])}

    def judged(name: str, window: int, fees: int | None) -> Finding:
        stated = [] if fees is None else [{"name": "accrued_fees", "value": str(fees), "asset": subject}]
        found = strict_findings(
            tmp_path / name, anvil.provider, wallets, {anvil.asset: 900}, anvil.now(), window, statements=stated
        )
        return found["STRICT-OUTFLOW", subject]

    assert judged("swept", 1, 30).verdict is PASS
    taken = judged("taken", 1, 29)
    assert (taken.verdict, taken.measured, taken.shortfall) == (FAIL, "30", "1")
    assert judged("silent", 1, None).verdict is OPEN
    assert judged("unseen", 0, 30).verdict is OPEN


@pytest.mark.real_bitcoind
def test_coins_of_clients_and_of_the_company_are_not_spent_together(bitcoin: KnotsDays, tmp_path: Path) -> None:
    cold, own, other = (bitcoin.fund(10_000_000 + number) for number in range(3))
    away = bitcoin.harness.empty()
    bitcoin.pass_hours(48)
    apart = bitcoin.spend([own], {away: 9_000_000})
    bitcoin.pass_hours(6)
    subject = "attestation"

    def judged(name: str, company: AccountId, window: int = 1) -> Finding:
        wallets = {"client-cold": ([cold], [bitcoin.asset]), "proprietary": ([company], [bitcoin.asset])}
        found = strict_findings(tmp_path / name, bitcoin.provider, wallets, {bitcoin.asset: 1}, bitcoin.now(), window)
        return found["STRICT-MIXED", subject]

    kept = judged("kept", own)
    assert (kept.verdict, apart in kept.text) == (PASS, False)
    together = bitcoin.spend([cold, other], {away: 20_000_000 - 10_000})
    bitcoin.pass_hours(6)
    mixed = judged("mixed", other)
    assert (mixed.verdict, mixed.measured, together in mixed.text) == (FAIL, "1", True)
    assert judged("unseen", other, window=0).verdict is OPEN


@pytest.mark.real_bitcoind
def test_the_companys_keys_do_not_suffice_for_clients_wallets(bitcoin: KnotsDays, tmp_path: Path) -> None:
    node, chain = bitcoin.node, bitcoin.harness.network.chain
    infos = [node.call("getaddressinfo", node.call("getnewaddress", "", "bech32", wallet="holders"), wallet="holders")
             for _ in range(5)]  # fmt: skip
    keys, addresses = [info["pubkey"] for info in infos], [info["address"] for info in infos]

    def described(body: str) -> str:
        return str(node.call("getdescriptorinfo", body)["descriptor"])

    def judged(name: str, *wallets: tuple[str, str]) -> dict[str, Finding]:
        declared = [
            {"chain": chain, "descriptor": text, "pool": pool, "assets": [bitcoin.asset]} for pool, text in wallets
        ]
        found = strict_findings(
            tmp_path / name, bitcoin.provider, {"proprietary": ([], [bitcoin.asset])},
            {bitcoin.asset: 1}, bitcoin.now(), 0, wallets=declared,
        )  # fmt: skip
        return {rule: found[rule, "attestation"] for rule in ("STRICT-QUORUM", "STRICT-KEYS")}

    cold = ("client-cold", described(f"wsh(sortedmulti(2,{keys[0]},{keys[1]},{keys[2]}))"))
    apart = judged("apart", cold, ("proprietary", described(f"wpkh({keys[3]})")))
    assert {finding.verdict for finding in apart.values()} == {PASS}
    one = judged("one", cold, ("proprietary", described(f"wpkh({keys[0]})")))
    assert (one["STRICT-QUORUM"].verdict, one["STRICT-KEYS"].verdict) == (PASS, FAIL)
    both = judged("both", cold, ("proprietary", described(f"wsh(multi(2,{keys[0]},{keys[1]},{keys[4]}))")))
    assert both["STRICT-QUORUM"].verdict is FAIL
    # The same key behind another kind of address: its hash stands in both.
    hashed = judged("hashed", ("client-cold", f"addr({addresses[0]})"), ("proprietary", f"pkh({keys[0]})"))
    assert hashed["STRICT-QUORUM"].verdict is FAIL
    script = node.call("createmultisig", 2, keys[:3], "bech32")["address"]
    hidden = judged("hidden", ("client-cold", f"addr({script})"), ("proprietary", described(f"wpkh({keys[3]})")))
    assert {finding.verdict for finding in hidden.values()} == {OPEN}
    assert account_id(f"{chain}:{script}") in hidden["STRICT-QUORUM"].text
