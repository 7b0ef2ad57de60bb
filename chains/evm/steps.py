"""Questions to a node that follow from earlier answers: those of many accounts travel together, round by round."""

from collections.abc import Generator, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import rfc8785

from chains.errors import ChainError, ProviderError
from chains.jsonrpc import Answer, JsonRpc

T = TypeVar("T")
Call = tuple[str, Sequence[Any]]
Calls = Sequence[Call]
# Yields what to ask next, is sent the answers in that order, and returns what they come to. May raise a ChainError.
Steps = Generator[Calls, Sequence[Answer], T]


class Outcome(NamedTuple, Generic[T]):
    """What steps came to, or why they came to nothing, and the evidence for either."""

    value: T | None
    evidence: tuple[str, ...] = ()
    failure: str = ""


def walk_together(rpc: JsonRpc, steps: Sequence[Steps[T]], size: int) -> list[Outcome[T]]:
    """Walk many steps to their end, one batch of at most `size` calls after the other; one Outcome for each, in order.

    What several ask alike in a round is asked once. A batch that fails as a whole fails only what still waited for it.
    """
    walks = [_Walk(one) for one in steps]
    while waiting := [walk for walk in walks if walk.outcome is None]:
        answers = _ask_once(rpc, [call for walk in waiting for call in walk.calls], size)
        for walk in waiting:
            walk.go_on([next(answers) for _ in walk.calls])
    return [walk.outcome for walk in walks if walk.outcome is not None]


def walk_alone(rpc: JsonRpc, steps: Steps[T]) -> tuple[T, tuple[str, ...]]:
    """Walk one question's steps to their end and return what they come to with the evidence. Raises as they do."""
    evidence: list[str] = []
    try:
        calls = next(steps)
        while True:
            single = len(calls) == 1
            answers = [rpc.ask(calls[0][0], *calls[0][1])] if single else list(rpc.batch(calls))
            evidence += [answer.evidence for answer in answers]
            calls = steps.send(answers)
    except StopIteration as end:
        value: T = end.value
        return value, tuple(evidence)


def result_of(answer: Answer) -> Any:
    """Return what a node answered. Raises ProviderError when it refused."""
    if answer.error:
        raise answer.error
    return answer.result


class _Walk(Generic[T]):
    """One question on its way: what it asks now, and what it has come to."""

    def __init__(self, steps: Steps[T]) -> None:
        self._steps = steps
        self._evidence: dict[str, None] = {}
        self.calls: Calls = ()
        self.outcome: Outcome[T] | None = None
        self._advance(None)

    def go_on(self, answers: Sequence[Answer]) -> None:
        self._evidence.update(dict.fromkeys(answer.evidence for answer in answers if answer.evidence))
        self._advance(answers)

    def _advance(self, answers: Sequence[Answer] | None) -> None:
        try:
            self.calls = next(self._steps) if answers is None else self._steps.send(answers)
        except StopIteration as end:
            self.outcome = Outcome(end.value, tuple(self._evidence))
        except ChainError as error:
            self.outcome = Outcome(None, tuple(self._evidence), str(error))


def _ask_once(rpc: JsonRpc, calls: Calls, size: int) -> Iterator[Answer]:
    """Ask each different call once and yield the answers in the order of `calls`."""
    names = [rfc8785.dumps([method, list(parameters)]) for method, parameters in calls]
    different = dict(zip(names, calls, strict=True))
    told: list[Answer] = []
    try:
        for answer in rpc.batch(list(different.values()), size):
            told.append(answer)
    except ChainError as error:
        told += [Answer(None, "", ProviderError(str(error)))] * (len(different) - len(told))
    by_name = dict(zip(different, told, strict=True))
    return (by_name[name] for name in names)
