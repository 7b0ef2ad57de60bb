"""A rule that adds days to coins is refused before it judges anything."""

from collections.abc import Mapping

from verifier.errors import InputError
from verifier.policy.expression import (
    Amount,
    Comparison,
    Extreme,
    Junction,
    Name,
    Number,
    Product,
    Quotient,
    Statement,
    Step,
    Sum,
    write,
)
from verifier.policy.inputs import Dimension, Scope

Bands = Mapping[str, tuple[Dimension, Dimension]]


class DimensionCheck:
    """Check statements against the dimensions of names and bands (argument, value) under one scope."""

    def __init__(self, names: Mapping[str, Dimension], bands: Bands, scope: Scope) -> None:
        self._names, self._bands, self._scope = names, bands, scope

    def check(self, statement: Statement) -> None:
        """Raise InputError naming the part whose sides do not count the same, or an unknown name."""
        match statement:
            case Junction():
                for item in statement.items:
                    self.check(item)
            case Comparison():
                self._same(statement, self.of(statement.left), self.of(statement.right))

    def of(self, amount: Amount) -> Dimension | None:  # noqa: PLR0911 -- one return per kind of amount
        """Return what an amount counts; None for 0, which is nothing of anything."""
        match amount:
            case Number():
                return None if amount.value == 0 else Dimension.SHARE
            case Name():
                if amount.name not in self._names:
                    raise InputError(f"unknown name {amount.name!r}; known here: {', '.join(sorted(self._names))}")
                return self._in_scope(self._names[amount.name])
            case Sum():
                return self._same(amount, self.of(amount.left), self.of(amount.right))
            case Extreme():
                found: Dimension | None = None
                for item in amount.items:
                    found = self._same(amount, found, self.of(item))
                return found
            case Product():
                return self._product(amount)
            case Quotient():
                return self._quotient(amount)
            case Step():
                return self._step(amount)

    def _in_scope(self, dimension: Dimension) -> Dimension:
        if dimension is Dimension.AMOUNT and self._scope is Scope.TOTAL:
            return Dimension.MONEY
        return dimension

    def _same(self, part: Statement | Amount, left: Dimension | None, right: Dimension | None) -> Dimension | None:
        if left is None or right is None or left is right:
            return left or right
        if {left, right} == {Dimension.SHARE, Dimension.COUNT}:
            return Dimension.COUNT
        raise InputError(f"{write(part)!r}: one side counts {left}, the other {right}")

    def _product(self, amount: Product) -> Dimension | None:
        left, right = self.of(amount.left), self.of(amount.right)
        plain = (None, Dimension.SHARE, Dimension.COUNT)
        if left in plain:
            return right
        if right in plain:
            return left
        raise InputError(f"{write(amount)!r}: {left} times {right} is nothing that a rule speaks of")

    def _quotient(self, amount: Quotient) -> Dimension | None:
        left, right = self.of(amount.left), self.of(amount.right)
        if right in (Dimension.SHARE, Dimension.COUNT):
            return left
        if right is not None and left in (right, None):
            return Dimension.SHARE
        raise InputError(f"{write(amount)!r}: {left} divided by {right or 'zero'} is nothing that a rule speaks of")

    def _step(self, amount: Step) -> Dimension:
        if amount.band not in self._bands:
            raise InputError(f"unknown band {amount.band!r}; known: {', '.join(sorted(self._bands)) or 'none'}")
        argument, value = self._bands[amount.band]
        self._same(amount, self.of(amount.at), self._in_scope(argument))
        return self._in_scope(value)
