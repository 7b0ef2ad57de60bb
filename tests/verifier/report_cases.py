"""Verifications for the report's tests: recorded runs, and cases made by hand with everything a report can show."""

from fractions import Fraction
from pathlib import Path

from chains.history import History
from chains.model import BlockRef, Tier, Transfer
from chains.questions import Observation, Question
from tests.verifier.cases import AS_OF, BLOCK, CHAIN, ETH, account, case, position, price
from verifier.case import Case, Position
from verifier.declaration import OffChainHolding, OffChainPool, Pool, StatedFact, Wallet, utc_seconds
from verifier.observed import Observed
from verifier.ownership.binding import Binding
from verifier.policy.evaluate import evaluate_all
from verifier.policy.finding import Finding, Reason
from verifier.policy.library import load_pack
from verifier.prices.gather import Heard
from verifier.recheck import SEAL_RULE
from verifier.report.origin import Origin
from verifier.verdict import Verdict
from verifier.verification import Verification, verify_bundle
from verifier.window import Past, Window

RUNS = Path(__file__).parents[2] / "fixtures" / "runs"
PACKS = ("model-basic", "jp-psa-63-11", "model-strict")
ORIGIN = Origin("por verify run --pack model-basic", "0.1.0", "ab" * 32)
NOW = BLOCK._replace(time=utc_seconds(AS_OF))
OPENING = BlockRef(CHAIN, 90, "0x" + "33" * 32, NOW.time - 10 * 86_400)
DOCUMENTED = (
    *("affiliates_excluded", "licence", "management_assertion", "engagement_standard", "practitioner_independence"),
    *("date_selection", "products_in_scope", "assets_not_covered", "negative_balances", "house_accounts"),
    *("completeness_procedure", "own_token_share", "haircuts", "receipts_issued", "previous_run", "changes_explained"),
    *("missed_dates", "exceptions", "log_origin"),
)


def recorded(run: str, *packs: str) -> Verification:
    """Verify a recorded run."""
    return verify_bundle(RUNS / run, packs or PACKS)


def judged(made: Case, *packs: str) -> Verification:
    """Judge a case made by hand."""
    return Verification(made, evaluate_all(made, [load_pack(name) for name in packs or PACKS]), (), "ee" * 32)


def stating(made: Case, *facts: StatedFact) -> Case:
    return made.model_copy(update={"declaration": made.declaration.model_copy(update={"statements": list(facts)})})


def fact(name: str, value: str = "1", document: str | None = "d" * 64) -> StatedFact:
    return StatedFact(name=name, value=value, document=document)


def bound(one: Position) -> Position:
    """Return a position whose claim names this very declaration."""
    return one._replace(ownership=one.ownership and one.ownership._replace(binding=Binding.ATTESTATION))


def labelled(made: Case, *labels: str) -> Case:
    """Return a case whose wallets carry these labels, one wallet per position."""
    wallets = [
        Wallet(account=p.placement.holding.account, assets=[ETH], pool=p.placement.pool, label=labels[n % len(labels)])
        for n, p in enumerate(made.positions)
    ]
    positions = tuple(
        p._replace(placement=p.placement._replace(wallet=number)) for number, p in enumerate(made.positions)
    )
    declaration = made.declaration.model_copy(update={"wallets": wallets})
    return made.model_copy(update={"declaration": declaration, "positions": positions})


def complete(cover: int = 100) -> Case:
    """Return a case with a window, prices from two operators, answers of the chain, cover and stated facts."""
    positions = [
        position(Pool.CLIENT_HOT, 3, number=1, tier=Tier.PROVEN),
        position(Pool.CLIENT_COLD, cover - 3, number=2, tier=Tier.CORROBORATED),
        position(Pool.GUARANTEE, 3, number=3, tier=Tier.OBSERVED),
        position(Pool.RESERVE_FUND, 20, number=4, tier=Tier.DECLARED),
        position(Pool.PROPRIETARY, 5, number=5),
    ]
    made = case(*map(bound, positions), owed={ETH: 100}, prices=(price(ETH, "100", "110"),))
    holdings = [p.placement.holding for p in made.positions]
    came = Transfer(ETH, 40, account(9), account(2), 96, "0x" + "44" * 32, "0x01", 0)
    histories = {
        one: History(
            one, 91, NOW, (came,) if one.account == account(2) else (), Tier.OBSERVED, ("operator",), ("call",)
        )
        for one in holdings
    }
    drawn = (BlockRef(CHAIN, 93, "0x" + "55" * 32, NOW.time - 7), BlockRef(CHAIN, 99, "0x" + "66" * 32, NOW.time - 1))
    heard = tuple(
        Heard(ETH, "JPY", 0, operator, Fraction(value), NOW.time, "e" * 64)
        for operator, value in (("a", 100), ("b", 110))
    )
    silent = Heard(ETH, "JPY", 0, "c", None, None, "", "the answer holds no price")
    question = Question(account(2), "code")
    asked = Observed({question: Observation(question, "", Tier.OBSERVED, ("operator",), ())}, ("code",))
    cover_held = OffChainHolding(
        pool=OffChainPool.INSURANCE, currency="JPY", units="500", decimals=0, document="d" * 64
    )
    return made.model_copy(
        update={
            "blocks": (NOW,),
            "past": Past((Window(OPENING, NOW, NOW, drawn),), histories),
            "heard": (*heard, silent),
            "observed": asked,
            "declaration": made.declaration.model_copy(update={"off_chain": [cover_held]}),
        }
    )


def documented() -> Case:
    """Return the complete case with every fact that the checklist asks a document for."""
    facts = [fact(name) for name in DOCUMENTED]
    return stating(complete(), *facts, fact("clients_checked", "3"), fact("clients_checked_wrong", "0"))


def sealed(result: Verification) -> Verification:
    """Return a verification that a trusted key sealed."""
    named = Finding(SEAL_RULE, "attestation", Verdict.PASS, Reason.SATISFIED, "The sealed statement names this bundle.")
    return result._replace(rechecked=(*result.rechecked, named))
