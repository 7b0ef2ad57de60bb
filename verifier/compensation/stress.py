"""What if: a large wallet, everything hot, a theft like those that happened; what breaks, and what could be paid."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from chains.ids import AccountId, AssetId
from chains.model import Balance
from verifier.case import Case
from verifier.compensation.funds import HOURS, Within
from verifier.compensation.incident import Incident, minor_digits, prices_of
from verifier.compensation.plan import Basis, basis_of, draws_of
from verifier.compensation.strategies import STRATEGIES
from verifier.compensation.thefts import thefts
from verifier.declaration import CLIENT_POOLS, Pool
from verifier.errors import InputError
from verifier.policy.evaluate import evaluate_all
from verifier.policy.finding import Level
from verifier.policy.pack import Pack
from verifier.reserves import Progress, silent
from verifier.verdict import Verdict

WALLETS = 10


class Scenario(NamedTuple):
    """A loss that is imagined: its name, and the incident it would be."""

    name: str
    incident: Incident


class Stressed(NamedTuple):
    """What a loss would come to; money in smallest units of the currency.

    `broken` are the rules that pass before and fail after, `opened` those that are no longer decided. `least` is the
    asset of which the smallest share of what is owed is left in clients' wallets, and that share. `short` is what users
    would be short of, `there` what could be paid of it, within each of HOURS by `by`. `unknown` says why a scenario
    cannot be worked out.
    """

    name: str
    broken: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    least: tuple[str, Fraction] | None = None
    short: int = 0
    there: int = 0
    by: Within = (0,) * len(HOURS)
    unknown: str = ""

    @property
    def share(self) -> Fraction | None:
        """What could be paid, as a share of what users would be short of; None when they are short of nothing."""
        return Fraction(self.there, self.short) if self.short else None

    def to_record(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "broken": list(self.broken),
            "opened": list(self.opened),
            "least": None if self.least is None else {"asset": self.least[0], "left": str(self.least[1])},
            "short": str(self.short),
            "there": str(self.there),
            "by_hours": {str(hours): str(value) for hours, value in zip(HOURS, self.by, strict=True)},
            "unknown": self.unknown,
        }


def stress(
    case: Case, packs: Sequence[Pack], currency: str, wallets: int = WALLETS, progress: Progress = silent
) -> list[Stressed]:
    """Play every scenario over a case; a scenario that cannot be worked out says why."""
    before = dict(_verdicts(case, packs))
    played = list(scenarios(case, currency, wallets))
    found = []
    for number, one in enumerate(played):
        progress("scenarios", number, len(played))
        found.append(one if isinstance(one, Stressed) else _play(case, packs, one, before))
    progress("scenarios", len(played), len(played))
    return found


def scenarios(case: Case, currency: str, wallets: int = WALLETS) -> Iterator[Scenario | Stressed]:
    """Yield the losses to imagine, the largest wallets first; one that nobody can value says so."""
    if any(one.placement.pool is Pool.CLIENT_HOT for one in case.positions):
        yield Scenario("everything hot", _incident(currency, {"scope": "all-hot"}))
    bare = _incident(currency, {"scope": "all-hot"})
    prices = prices_of(bare, case)
    held: dict[AccountId, Fraction] = {}
    for position in case.positions:
        if position.placement.pool not in CLIENT_POOLS or not isinstance(position.result, Balance):
            continue
        asset, account = position.placement.holding.asset, position.placement.holding.account
        if position.result.units and asset not in prices:
            yield Stressed("the largest wallets and past thefts", unknown=f"{asset} has no price in {currency}")
            return
        held[account] = held.get(account, Fraction(0)) + position.result.units * prices.get(asset, Fraction(0))
    largest = sorted(held, key=lambda account: (-held[account], account))[:wallets]
    for account in largest:
        yield Scenario(f"the wallet {account}", _incident(currency, {"wallet": account}))
    total, scale = sum(held.values(), Fraction(0)), 10 ** minor_digits(currency)
    pools = sorted({one.placement.pool for one in case.positions if one.placement.pool in CLIENT_POOLS})
    for name, amount in thefts(currency):
        if total:
            share = min(Fraction(1), amount * scale / total).limit_denominator(10**15)
            losses = [{"pool": pool, "fraction": str(share)} for pool in pools]
            yield Scenario(f"a theft like {name}, from every client wallet alike", _incident(currency, *losses))


def _incident(currency: str, *losses: dict[str, str]) -> Incident:
    record = {"format": "reserve-verifier/incident/1", "id": "stress", "at": "2000-01-01T00:00:00Z"}
    return Incident.model_validate({**record, "currency": currency, "losses": list(losses)})


def _play(case: Case, packs: Sequence[Pack], scenario: Scenario, before: dict[str, Verdict]) -> Stressed:
    incident = scenario.incident.model_copy(update={"at": case.declaration.as_of})
    try:
        basis = basis_of(case, incident, packs)
    except InputError as error:
        return Stressed(scenario.name, unknown=str(error))
    moved = [(name, verdict) for name, verdict in _verdicts(basis.remaining, packs) if verdict is not before[name]]
    broken = tuple(name for name, verdict in moved if verdict is Verdict.FAIL)
    opened = tuple(name for name, verdict in moved if verdict is Verdict.INDETERMINATE)
    short, there, by = _payable(basis)
    left = [(Fraction(one.left, one.owed), one.asset) for one in basis.losses if one.owed]
    least = min(left, default=None)
    return Stressed(scenario.name, broken, opened, least and (least[1], least[0]), short, there, by)


def _payable(basis: Basis) -> tuple[int, int, Within]:
    """Return what users are short of, what is there to pay it, and by when."""
    short = sum(loss.value or 0 for loss in basis.losses)
    there, by = Fraction(0), [Fraction(0)] * len(HOURS)
    for draw in draws_of(basis, STRATEGIES[0]):
        price = basis.prices.get(AssetId(draw.unit), Fraction(0)) if "/" in draw.unit else Fraction(1)
        there += draw.used * price
        by = [had + units * price for had, units in zip(by, draw.within, strict=True)]
    return short, min(short, int(there)), tuple(min(short, int(value)) for value in by)


def _verdicts(case: Case, packs: Sequence[Pack]) -> Iterator[tuple[str, Verdict]]:
    """Yield each binding rule's worst verdict, by its name."""
    for judgement in evaluate_all(case, packs):
        rules: dict[str, list[Verdict]] = {}
        for finding in judgement.findings:
            if finding.pack and finding.level is Level.MUST:
                rules.setdefault(finding.rule, []).append(finding.verdict)
        order = (Verdict.FAIL, Verdict.INDETERMINATE, Verdict.PASS, Verdict.NOT_APPLICABLE)
        yield from ((name, min(found, key=order.index)) for name, found in rules.items())
