"""One rule's statement over one subject: true, false, or not decided by what is known, and every number it used."""

from collections.abc import Sequence
from enum import Enum
from fractions import Fraction
from typing import NamedTuple

from chains.model import Tier
from verifier.errors import InputError
from verifier.policy import interval
from verifier.policy.expression import (
    Amount,
    Comparison,
    Extreme,
    Junction,
    Name,
    Number,
    Product,
    Quotient,
    Relation,
    Statement,
    Step,
    Sum,
    write,
)
from verifier.policy.finding import Reason
from verifier.policy.inputs import Atom, Doubt, Inputs, Priced, Scope
from verifier.policy.interval import NOT_NEGATIVE, ONE, Box, Form, Interval, Term
from verifier.policy.pack import Pack

MAX_LEAVES = 256


class Truth(Enum):
    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


class Choice(NamedTuple):
    """The lowest or the highest of several values, kept apart so that a comparison with it stays exact."""

    items: tuple["Value", ...]
    highest: bool


Value = Form | Choice


class Subject(NamedTuple):
    """What is judged: an asset, a wallet, or the whole, and on which day's parameters."""

    scope: Scope
    name: str
    day: str
    lookback_days: int = 0


class Evaluator:
    """Evaluate statements of one pack for one subject; remembers what was asked, how it is known, what is open."""

    def __init__(self, pack: Pack, inputs: Inputs, subject: Subject) -> None:
        self._pack, self._inputs, self._subject = pack, inputs, subject
        self._parameters = {parameter.name for parameter in pack.parameters}
        self._prices: dict[str, Interval] = {}
        self._unknowns: dict[str, Interval] = {}
        self._box = Box(self._prices, self._unknowns)
        self._values: dict[str, Value] = {}
        self.atoms: dict[str, Sequence[Atom]] = {}
        self.parameters: dict[str, Interval] = {}
        self.priced: dict[str, Priced] = {}
        self.doubts: dict[Doubt, None] = {}

    def truth(self, statement: Statement) -> Truth:
        """Decide a statement; UNKNOWN when values inside the bounds would make it true and others false."""
        if isinstance(statement, Junction):
            return _junction([self.truth(item) for item in statement.items], statement.every)
        room = self.room(statement)
        strict = statement.relation in (Relation.ABOVE, Relation.BELOW)
        if statement.relation is Relation.EQUAL:
            both = [self._not_negative(room, strict=False), self._not_negative(_negative(room), strict=False)]
            return _junction(both, every=True)
        return self._not_negative(room, strict)

    def room(self, comparison: Comparison) -> Value:
        """Return by how much the left side is on the required side of the right one; negative is a breach."""
        left, right = self.value(comparison.left), self.value(comparison.right)
        if comparison.relation in (Relation.AT_MOST, Relation.BELOW):
            left, right = right, left
        return _add(left, right, -1)

    def bounds(self, value: Value) -> Interval:
        """Return the least and the most a value can be."""
        if isinstance(value, Form):
            return interval.bounds(value, self._box)
        found = [self.bounds(item) for item in value.items]
        return interval.highest(found) if value.highest else interval.lowest(found)

    def _not_negative(self, value: Value, strict: bool) -> Truth:
        if isinstance(value, Choice):
            return _junction([self._not_negative(item, strict) for item in value.items], every=not value.highest)
        low, high = interval.bounds(value, self._box)
        if low is not None and (low > 0 or (low == 0 and not strict)):
            return Truth.TRUE
        return Truth.FALSE if high is not None and (high < 0 or (high == 0 and strict)) else Truth.UNKNOWN

    def value(self, amount: Amount) -> Value:  # noqa: PLR0911 -- one return per kind of amount
        """Return an amount as a linear form, or a choice between several."""
        match amount:
            case Number():
                return interval.constant(amount.value)
            case Name():
                if amount.name not in self._values:
                    self._values[amount.name] = self._named(amount.name)
                return self._values[amount.name]
            case Sum():
                return _add(self.value(amount.left), self.value(amount.right), amount.sign)
            case Extreme():
                return Choice(tuple(self.value(item) for item in amount.items), amount.highest)
            case Product():
                return self._product(amount)
            case Quotient():
                return self._quotient(amount)
            case Step():
                return self._unknown(write(amount), self._band(amount))

    def _named(self, name: str) -> Value:
        if name in self._parameters:
            return self._parameter(name)
        self.atoms[name] = self._inputs.quantity(name, self._subject.scope, self._subject.name)
        terms: dict[Term, Fraction] = {}
        for atom in self.atoms[name]:
            self.doubts.update(dict.fromkeys(atom.doubts))
            self._unknowns[atom.key] = atom.value
            if self._subject.scope is not Scope.TOTAL or not atom.asset:
                terms[Term(ONE, atom.key)] = Fraction(1)
            elif atom.value.exact != 0:
                self._price(atom.asset)
                terms[Term(atom.asset, atom.key)] = Fraction(1)
        return Form(Fraction(0), terms)

    def _parameter(self, name: str) -> Value:
        set_value = self._pack.parameter(name, self._subject.day)
        known = self._inputs.override(name)
        if known is None:
            known = NOT_NEGATIVE if set_value is None else Interval.exactly(set_value)
        if known == NOT_NEGATIVE:
            self.doubts[Doubt(Reason.UNSET_PARAMETER, f"the rulebook sets no {name} for this day")] = None
        self.parameters[name] = known
        return interval.constant(known.exact) if known.exact is not None else self._unknown(f"parameter {name}", known)

    def _price(self, asset: str) -> None:
        if asset in self._prices:
            return
        found = self._inputs.price(asset, self._subject.lookback_days)
        if found is None:
            days = self._subject.lookback_days
            over = f" over {days} days" if days else ""
            text = f"there is no price in {self._pack.currency or 'any currency'} for {asset}{over}"
            self.doubts[Doubt(Reason.MISSING_INPUT, text)] = None
            self._prices[asset] = NOT_NEGATIVE
            return
        self._prices[asset], self.priced[asset] = found.value, found

    def _product(self, amount: Product) -> Value:
        left, right = self.value(amount.left), self.value(amount.right)
        for factor, other in ((left, right), (right, left)):
            if isinstance(factor, Form) and not factor.terms:
                return _scale(other, factor.constant)
        return self._unknown(write(amount), interval.multiply(self.bounds(left), self.bounds(right)))

    def _quotient(self, amount: Quotient) -> Value:
        left, right = self.value(amount.left), self.value(amount.right)
        if isinstance(right, Form) and not right.terms and right.constant:
            return _scale(left, 1 / right.constant)
        return self._unknown(write(amount), interval.divide(self.bounds(left), self.bounds(right)))

    def _band(self, amount: Step) -> Interval:
        table = self._pack.steps(amount.band, self._subject.day)
        at = self.bounds(self.value(amount.at))
        values = _steps_within(table, at)
        if None in values:
            self.doubts[Doubt(Reason.UNSET_PARAMETER, f"the rulebook sets no value of {amount.band} there")] = None
            return Interval(Fraction(0), None)
        known = [value for value in values if value is not None]
        return Interval(min(known), max(known)) if known else Interval(Fraction(0), None)

    def _unknown(self, key: str, known: Interval) -> Form:
        if known.exact is not None:
            return interval.constant(known.exact)
        self._unknowns[key] = known
        return Form(Fraction(0), {Term(ONE, key): Fraction(1)})

    def tier(self, name: str) -> Tier:
        """Return how a quantity that was asked is known: the weakest of its atoms."""
        return min((atom.tier for atom in self.atoms.get(name, ())), default=Tier.PROVEN)

    @property
    def evidence(self) -> tuple[str, ...]:
        """What the numbers rest on, once each, in order."""
        return tuple(sorted({item for atoms in self.atoms.values() for atom in atoms for item in atom.evidence}))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was left out, in words."""
        return tuple({item: None for atoms in self.atoms.values() for atom in atoms for item in atom.remarks})


def _steps_within(table: Sequence[tuple[Fraction, Fraction | None]], at: Interval) -> list[Fraction | None]:
    """Return the values of every step that the argument may be on; no bound means any."""
    ends = [*(start for start, _ in table[1:]), None]
    return [
        value
        for (start, value), end in zip(table, ends, strict=True)
        if (at.high is None or start <= at.high) and (at.low is None or end is None or end > at.low)
    ]


def _add(left: Value, right: Value, sign: int) -> Value:
    if isinstance(left, Form) and isinstance(right, Form):
        return interval.add(left, right, sign)
    if isinstance(left, Choice):
        return _bounded(Choice(tuple(_add(item, right, sign) for item in left.items), left.highest))
    turned = right if sign > 0 else _negative(right)
    return _add(turned, left, 1)


def _scale(value: Value, factor: Fraction) -> Value:
    if isinstance(value, Form):
        return interval.scale(value, factor)
    highest = value.highest if factor >= 0 else not value.highest
    return Choice(tuple(_scale(item, factor) for item in value.items), highest)


def _negative(value: Value) -> Value:
    return _scale(value, Fraction(-1))


def _bounded(choice: Choice) -> Choice:
    if len(_leaves(choice)) > MAX_LEAVES:
        raise InputError(f"a rule with more than {MAX_LEAVES} combinations of min and max; split it")
    return choice


def _leaves(value: Value) -> list[Form]:
    if isinstance(value, Form):
        return [value]
    return [leaf for item in value.items for leaf in _leaves(item)]


def _junction(truths: Sequence[Truth], every: bool) -> Truth:
    decides, otherwise = (Truth.FALSE, Truth.TRUE) if every else (Truth.TRUE, Truth.FALSE)
    if decides in truths:
        return decides
    return Truth.UNKNOWN if Truth.UNKNOWN in truths else otherwise
