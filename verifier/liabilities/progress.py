"""How long work tells how far it is: what is being done, how much is done, and of how much."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]


def silent(what: str, done: int, of: int) -> None:
    """Tell nobody."""
