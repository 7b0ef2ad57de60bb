"""Two compensation plans side by side: what was lost, which way was chosen, what is paid and what is not."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from verifier.diff.change import Change
from verifier.errors import InputError
from verifier.policy.amounts import show_number


class PlanDiff(NamedTuple):
    """Everything that differs between two plans of one exchange."""

    exchange: str
    first: str
    second: str
    changes: tuple[Change, ...]

    def to_record(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**self._asdict(), "changes": [change._asdict() for change in self.changes]}


def compare_plans(first: Mapping[str, Any], second: Mapping[str, Any]) -> PlanDiff:
    """Compare two plans' documents, as JSON values. Raises InputError for plans of different exchanges."""
    try:
        names = [str(one["exchange"]["id"]) for one in (first, second)]
        if names[0] != names[1]:
            raise InputError(f"the plans are of different exchanges: {names[0]} and {names[1]}")
        changes = tuple(_changes(first, second))
        labels = [f"{one['incident']['id']} of {one['incident']['at']}" for one in (first, second)]
        return PlanDiff(str(second["exchange"]["name"]), labels[0], labels[1], changes)
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise InputError(f"a plan's document is not as it should be: {error}") from error


def _changes(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Change]:
    if first["case"] != second["case"]:
        yield Change(
            "run-changed", f"the plans follow from different runs: {first['as_of']} and {second['as_of']}", True
        )
    if first["incident"] != second["incident"]:
        yield Change("incident-changed", "the incident is told differently", True)
    yield from _shortages(first, second)
    if first["chosen"] != second["chosen"]:
        yield Change("strategy-changed", f"{first['chosen']} before, {second['chosen']} now", True)
    if first["order"] != second["order"]:
        text = f"sources in the order {', '.join(first['order'])} before, {', '.join(second['order'])} now"
        yield Change("order-changed", text, True)
    before, after = (_chosen(one) for one in (first, second))
    for name in ("in_kind", "paid", "uncovered"):
        if before[name] != after[name]:
            text = f"{name.replace('_', ' ')}: {_money(first, before[name])} before, {_money(second, after[name])} now"
            yield Change(f"{name.replace('_', '-')}-moved", text, name == "uncovered")
    if first["verdict"] != second["verdict"]:
        yield Change(
            "verdict-moved", f"{first['verdict']} before, {second['verdict']} now", second["verdict"] != "pass"
        )
    if first["claims"] != second["claims"]:
        yield Change("claims-changed", "somebody is paid another amount: the trees of claims differ", True)


def _shortages(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Change]:
    before, after = ({one["asset"]: int(one["short"]) for one in plan["losses"]} for plan in (first, second))
    for asset in sorted(before.keys() | after.keys()):
        if before.get(asset, 0) != after.get(asset, 0):
            text = f"short of {before.get(asset, 0):,} base units of {asset} before, {after.get(asset, 0):,} now"
            yield Change("shortage-moved", text, True)


def _chosen(plan: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(one for one in plan["strategies"] if one["strategy"] == plan["chosen"])
    return found


def _money(plan: Mapping[str, Any], amount: str) -> str:
    currency = plan["currency"]
    return f"{show_number(Fraction(int(amount), 10 ** int(currency['decimals'])))} {currency['code']}"
