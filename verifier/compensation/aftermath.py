"""The run as it stands after the loss: the same evidence, with what was taken subtracted."""

from collections.abc import Iterable

from chains.model import Balance
from verifier.case import Case, Position
from verifier.compensation.incident import Lost


def after(case: Case, losses: Iterable[Lost]) -> Case:
    """Return a case whose positions hold what is left; it is judged by the same rules.

    Which coins of a Bitcoin wallet are left is not known when a part was taken.
    """
    taken = {loss.holding: loss.units for loss in losses}
    positions = tuple(_left(position, taken.get(position.placement.holding, 0)) for position in case.positions)
    return case.model_copy(update={"positions": positions})


def _left(position: Position, units: int) -> Position:
    result = position.result
    if not units or not isinstance(result, Balance):
        return position
    left = result.units - units
    coins = () if left == 0 and result.coins is not None else None
    return position._replace(result=result._replace(units=left, coins=coins))
