"""The example cases of a pack as inputs: what a lawyer wrote down, judged by the same rules as real evidence."""

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

from chains.model import Tier
from verifier.errors import InputError
from verifier.policy.inputs import Atom, Priced, Scope, missing
from verifier.policy.interval import Interval
from verifier.policy.pack import ExampleCase, Pack, Rule

PRICE = "price"
PARAMETER = "parameter"
_NUMBER = r"-?[0-9]{1,30}(?:/[1-9][0-9]{0,30})?"
_VALUE = re.compile(rf"({_NUMBER})?(\.\.)?({_NUMBER})?(?: ([a-z]+))?")


class GivenInputs:
    """Answer what rules ask from an example's `given`; what is not given is not known."""

    def __init__(self, given: Mapping[str, str], scope: Scope) -> None:
        self._scope = scope
        self._atoms: dict[tuple[str, str], Atom] = {}
        self._prices: dict[str, Interval] = {}
        self._parameters: dict[str, Interval] = {}
        for name, text in given.items():
            self._take(name, text)

    def _take(self, name: str, text: str) -> None:
        value, tier = parse_value(text)
        first, _, second = name.rpartition(" ")
        if first == PARAMETER:
            self._parameters[second] = value
        elif second == PRICE:
            self._prices[first] = value
        else:
            self._atoms[first, second] = Atom(f"{second} {first}".strip(), value, tier, asset=first)

    def subjects(self, scope: Scope) -> Sequence[str]:
        """Return the one subject of an example."""
        return [str(scope)]

    def quantity(self, name: str, scope: Scope, subject: str) -> Sequence[Atom]:
        """Return what was given for a quantity: one atom, or one per asset under the scope `total`."""
        found = [atom for (_, quantity), atom in self._atoms.items() if quantity == name]
        return found or [missing(name, f"{name} is not given")]

    def price(self, asset: str, lookback_days: int) -> Priced | None:
        """Return the given price of one base unit."""
        found = self._prices.get(asset)
        return None if found is None else Priced(found, "example")

    def override(self, parameter: str) -> Interval | None:
        """Return the value that stands in for a parameter, if one was given."""
        return self._parameters.get(parameter)


def parse_value(text: str) -> tuple[Interval, Tier]:
    """Return the bounds and the tier that `100`, `80..90`, `80..`, `1/2` or `100 signed` stands for."""
    found = _VALUE.fullmatch(text.strip())
    if found is None or not (found[1] or found[3]) or (found[4] and found[4].upper() not in Tier.__members__):
        raise InputError(f"{text!r} is no value: expected 100, 80..90, 80.. or 1/2, and perhaps a tier behind it")
    low, high = (None if part is None else Fraction(part) for part in (found[1], found[3]))
    if not found[2]:
        high = low
    if low is not None and high is not None and low > high:
        raise InputError(f"{text!r}: the lower bound is above the upper one")
    return Interval(low, high), Tier[found[4].upper()] if found[4] else Tier.PROVEN


def day_of(pack: Pack, case: ExampleCase) -> str:
    """Return the day an example is judged on: its own, or the newest that any number of the pack holds from."""
    dated = [value.since for parameter in pack.parameters for value in parameter.values]
    dated += [table.since for band in pack.bands for table in band.tables]
    return case.on or max([pack.effective_from, *dated])


def inputs_of(rule: Rule, case: ExampleCase) -> GivenInputs:
    """Return an example as the inputs of its rule. Raises InputError naming a value that is none."""
    return GivenInputs(case.given, rule.scope)
