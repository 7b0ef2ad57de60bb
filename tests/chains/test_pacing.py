"""Pacing, on a clock of our own: the rate holds over any stretch, a pause holds up everybody, nothing is lost."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import NetworkDataError
from chains.pacing import Rate, TokenBucket, parse_rate
from chains.providers import load_providers


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def bucket(rate: Rate | None) -> tuple[TokenBucket, Clock]:
    clock = Clock()
    return TokenBucket(rate, clock, clock.sleep), clock


def times(rate: Rate | None, count: int, pauses: dict[int, float] | None = None) -> list[float]:
    paced, clock = bucket(rate)
    sent = []
    for number in range(count):
        if pauses and number in pauses:
            paced.pause(pauses[number])
        paced.take()
        sent.append(clock.now - 100.0)
    return sent


def test_one_seconds_worth_goes_at_once_and_the_rest_evenly() -> None:
    assert times(Rate(4, 1), 8) == [0, 0, 0, 0, 0.25, 0.5, 0.75, 1.0]
    assert times(Rate(30, 60), 3) == [0, 2, 4]


def test_without_a_rate_nobody_waits() -> None:
    assert times(None, 50) == [0] * 50


@given(st.integers(1, 50), st.sampled_from([1, 60]), st.lists(st.floats(0, 10), min_size=1, max_size=60))
def test_no_stretch_of_time_sees_more_than_the_rate_and_one_burst(
    requests: int, seconds: int, idle: list[float]
) -> None:
    rate = Rate(requests, seconds)
    paced, clock = bucket(rate)
    sent = []
    for pause in idle:
        clock.sleep(pause)
        paced.take()
        sent.append(clock.now)
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            allowed = rate.burst + (sent[last] - sent[first]) * requests / seconds
            assert last - first + 1 <= allowed + 1 + 1e-6


def test_a_pause_holds_up_the_next_and_then_the_rate_goes_on() -> None:
    assert times(Rate(10, 1), 3, {0: 5.0})[0] == 5.0
    assert times(None, 4, {2: 3.0}) == [0, 0, 3.0, 3.0]


def test_a_pause_holds_up_every_thread() -> None:
    paced, clock = bucket(None)
    paced.pause(2.0)
    started = [threading.Thread(target=paced.take) for _ in range(4)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    assert clock.now >= 102.0


@pytest.mark.parametrize(
    ("text", "rate"), [("5/s", Rate(5, 1)), ("300/min", Rate(300, 60)), ("9000/h", Rate(9000, 3600))]
)
def test_a_rate_is_a_number_and_a_unit(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["0/s", "5", "5/day", "-1/s", "1e3/s", "5 /s", "\u0665/s"])
def test_any_other_text_is_no_rate(text: str) -> None:
    with pytest.raises(NetworkDataError, match="expected a number and a unit"):
        parse_rate(text)


def test_a_providers_file_says_how_often_each_may_be_asked(tmp_path: Path) -> None:
    entry = '[[provider]]\noperator = "a"\nchain = "eip155:1"\ndialect = "json-rpc"\nurl = "http://127.0.0.1"\n'
    path = tmp_path / "providers.toml"
    path.write_text(f'{entry}rate = "5/s"\n{entry}')
    assert [provider.rate for provider in load_providers(path).providers] == [Rate(5, 1), None]
    path.write_text(f'{entry}rate = "often"\n')
    with pytest.raises(NetworkDataError, match=r"provider 1 \(a\): rate is 'often'"):
        load_providers(path)
