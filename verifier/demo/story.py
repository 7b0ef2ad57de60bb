"""The demonstration as numbered scenes: an honest exchange, then four ways to cheat, each caught and named."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from chains.embedded.bitcoin_kernel import DEFAULT_START, EmbeddedBitcoin
from chains.embedded.evm_tester import EmbeddedEvm
from chains.ids import AssetId
from verifier.canonical import canonical_json
from verifier.demo.chain_side import ChainSide, secret_of
from verifier.demo.embedded_sides import BitcoinSide, EvmSide
from verifier.demo.exchange import PlayedExchange
from verifier.errors import InputError, PartitionError
from verifier.inclusion.check import check_proofs
from verifier.liabilities.build import prove
from verifier.report.build import build_report
from verifier.report.origin import origin_of
from verifier.report.write import write_report
from verifier.reserves import Progress
from verifier.run import collect
from verifier.verdict import Verdict
from verifier.verification import Verification, verify_bundle

AS_OF = "2026-01-02T00:00:00Z"
PACKS = ("model-basic", "jp-psa-63-11")
MARKER = ".por-demo"
YEN = {"BTC": ("14950000", "15050000"), "ETH": ("498000", "502000"), "USDD": ("154", "156")}
BITCOIN_COLD, BITCOIN_COMPANY = "bitcoin cold 1", "bitcoin company"


class Scene(NamedTuple):
    """One thing the exchange did, and what the verifier said; `caught` is whether it said what it should."""

    id: str
    did: str
    verdict: str
    rule: str
    text: str
    caught: bool


@dataclass
class Story:
    """The demonstration in one folder; `tell` is called with each scene as it ends."""

    folder: Path
    users: int
    tell: Callable[[str], None]
    progress: Progress
    scenes: list[Scene] = field(default_factory=list)

    def play(self) -> list[Scene]:
        """Play all scenes. Raises MissingExtraError when the embedded engines are not installed."""
        with self._chains() as sides:
            exchange = self._open(sides)
            self._honest(exchange)
            self._spends_reserves(exchange)
            self._parks_company_coins(exchange)
            self._understates(exchange)
            self._flips_a_bit(exchange)
        return self.scenes

    @contextmanager
    def _chains(self) -> Iterator[dict[str, ChainSide]]:
        self.tell("Starting two real chains inside this process (no network):")
        with EmbeddedBitcoin(start_time=DEFAULT_START) as bitcoin, bitcoin.server() as server:
            bitcoin.mine(110)
            with EmbeddedEvm(genesis_time=DEFAULT_START) as evm:
                self.tell("  Bitcoin: Bitcoin Core's consensus engine, 110 blocks mined and validated")
                self.tell("  Ethereum: a virtual machine with a test token")
                yield {"bitcoin": BitcoinSide(bitcoin, server.url), "ethereum": EvmSide(evm)}

    def _open(self, sides: dict[str, ChainSide]) -> PlayedExchange:
        btc, (eth, usd) = sides["bitcoin"].assets()[0], sides["ethereum"].assets()
        symbols = {btc: ("BTC", 8), eth: ("ETH", 18), usd: ("USDD", 6)}
        exchange = PlayedExchange.open(sides, symbols, self.users, AS_OF)
        self.tell(
            f"An exchange with {self.users:,} users and {len(exchange.wallets)} wallets deposits their coins on chain,"
        )
        self.tell("and commits to what it owes them: a Merkle tree in which every node carries its children's sums.")
        return exchange

    def _run(self, exchange: PlayedExchange, name: str) -> Verification:
        declaration = exchange.publish(self.folder / f"{name}-inputs", price_records_of(exchange))
        inputs = declaration.parent
        out = self.folder / name
        collect(declaration, exchange.providers(), out, inputs / "liabilities", inputs / "prices.json", self.progress)
        return verify_bundle(out, PACKS)

    def _scene(self, scene_id: str, did: str, verdict: str, rule: str, text: str, caught: bool) -> None:
        self.scenes.append(Scene(scene_id, did, verdict, rule, text, caught))
        self.tell(f"\n{did}\n  {'✓' if caught else '✗'} {verdict.upper()} {rule}: {text}")

    def _judged(self, scene_id: str, did: str, result: Verification, rule: str) -> None:
        found = [item for judgement in result.judgements for item in judgement.findings]
        failed = [item for item in found if item.verdict is Verdict.FAIL]
        named = next((item for item in failed if item.rule == rule), None)
        text = named.text if named else "; ".join(item.text for item in failed)
        self._scene(scene_id, did, result.verdict, rule, text, named is not None)

    def _honest(self, exchange: PlayedExchange) -> None:
        started = time.monotonic()
        result = self._run(exchange, "honest")
        command = ["por", "verify", "honest", *(part for pack in PACKS for part in ("--pack", pack))]
        write_report(build_report(result, origin=origin_of(command)), self.folder / "report.html")
        rules = sum(len(judgement.findings) for judgement in result.judgements)
        text = (
            f"{len(result.case.positions)} holdings read from the chains, {rules} findings, no requirement broken"
            f" ({time.monotonic() - started:.1f} s)."
        )
        did = "1. The exchange declares its wallets; we read the chains once and judge."
        self._scene("honest", did, result.verdict, "all rules", text, result.verdict is Verdict.PASS)
        proof = self.folder / "user-proof.json"
        user = exchange.users[len(exchange.users) // 2].id
        proof.write_bytes(canonical_json(prove(exchange.tree, user).to_record()))
        report = check_proofs([proof], root=exchange.tree.commitment.digest)
        did = f"2. {user} checks that their balance was counted, against the published commitment."
        text = "their balance, and only theirs, leads to the published totals."
        self._scene("user", did, report.verdict, "inclusion proof", text, report.exit_code == 0)

    def _spends_reserves(self, exchange: PlayedExchange) -> None:
        cold = exchange.wallet(BITCOIN_COLD)
        spent = next(iter(cold.units.values())) // 4
        cold.side.send(cold.secret, cold.side.address(secret_of("somebody else")), spent)
        did = "3. The exchange spends a quarter of a client wallet and declares the same as before."
        self._judged("spends-reserves", did, self._run(exchange, "spent"), "BASIC-COVERAGE")
        did = "4. It fills the hole on paper: its company wallet is now also called a client wallet."
        try:
            self._run(exchange.declaring_company_coins_as_client_coins(), "declared-twice")
        except PartitionError as refusal:
            text = str(refusal).partition(": ")[2]
            self._scene("declares-twice", did, "refused", "partition", text, True)
        else:
            self._scene("declares-twice", did, "pass", "partition", "not noticed", False)

    def _parks_company_coins(self, exchange: PlayedExchange) -> None:
        cold, company = exchange.wallet(BITCOIN_COLD), exchange.wallet(BITCOIN_COMPANY)
        missing = next(iter(cold.units.values())) // 4
        extra = missing // 10
        company.side.send(company.secret, cold.address, missing + extra)
        did = "5. It pays back from the company's coins, and parks some more of them among the clients'."
        self._judged("parks-company-coins", did, self._run(exchange, "parked"), "JP-ATTRIBUTABLE")

    def _understates(self, exchange: PlayedExchange) -> None:
        user = next(user for user in exchange.users if all(user.units))
        smaller = exchange.understating(user.id)
        record = prove(smaller.tree, user.id).to_record()
        record["leaves"][0]["balances"] = [str(units) for units in user.units]
        path = self.folder / "understated-proof.json"
        path.write_bytes(canonical_json(record))
        report = check_proofs([path], root=smaller.tree.commitment.digest)
        did = f"6. It books a fifth of what it owes {user.id}, and shows them a proof with the true balance."
        text = report.results[0].findings[0].text if report.results[0].findings else "not noticed"
        self._scene("understates", did, report.verdict, "inclusion proof", text, report.exit_code == 1)

    def _flips_a_bit(self, exchange: PlayedExchange) -> None:
        record = prove(exchange.tree, exchange.users[7].id).to_record()
        sibling: dict[str, Any] = record["leaves"][0]["path"][3]
        sibling["hash"] = f"{int(sibling['hash'], 16) ^ 1:064x}"
        path = self.folder / "flipped-proof.json"
        path.write_bytes(canonical_json(record))
        report = check_proofs([path], root=exchange.tree.commitment.digest)
        did = f"7. It hands {exchange.users[7].id} a proof with one flipped bit."
        text = report.results[0].findings[0].text if report.results[0].findings else "not noticed"
        self._scene("flips-a-bit", did, report.verdict, "inclusion proof", text, report.exit_code == 1)


def price_records_of(exchange: PlayedExchange) -> list[dict[str, str]]:
    """Return played prices in yen, with a spread, for everything the exchange holds."""
    return [
        {
            "asset": AssetId(asset.asset),
            "currency": "JPY",
            "low": YEN[asset.symbol][0],
            "high": YEN[asset.symbol][1],
            "source": "played prices",
            "at": AS_OF,
        }
        for asset in exchange.assets
    ]


def prepare_folder(folder: Path) -> None:
    """Make the demonstration's folder; one that an earlier demonstration left is replaced, any other is refused."""
    if folder.exists():
        if not (folder / MARKER).exists():
            raise InputError(f"{folder}: exists and is not an earlier demonstration; name another --out")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARKER).touch()
