"""Ask no faster than a provider allows: a token bucket each, which also waits as long as the provider asked us to."""

import re
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from chains.errors import NetworkDataError

_RATE = re.compile(r"([1-9][0-9]{0,5})/(s|min|h)")
_SECONDS = {"s": 1, "min": 60, "h": 3600}


class Rate(NamedTuple):
    """At most `requests` in any `seconds`, spread evenly but for one second's worth at once."""

    requests: int
    seconds: int

    @property
    def burst(self) -> int:
        return max(1, self.requests // self.seconds)


def parse_rate(text: str) -> Rate:
    """Read a rate such as "5/s", "300/min" or "10000/h". Raises NetworkDataError."""
    matched = _RATE.fullmatch(text)
    if not matched:
        raise NetworkDataError(
            f'rate is {text[:40]!r}; expected a number and a unit, such as "5/s", "300/min", "9000/h"'
        )
    return Rate(int(matched[1]), _SECONDS[matched[2]])


class TokenBucket:
    """Let callers through at a rate, in any number of threads; `rate` None lets everybody through at once.

    A pause holds up everybody: when a provider says "too many requests" to one thread, the others wait as well.
    """

    def __init__(
        self,
        rate: Rate | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate, self._clock, self._sleep = rate, clock, sleep
        self._lock = threading.Lock()
        self._interval = rate.seconds / rate.requests if rate else 0.0
        self._ahead = self._interval * (rate.burst - 1) if rate else 0.0
        self._free_at = clock() - self._ahead

    def take(self) -> None:
        """Wait until one more request may be sent."""
        with self._lock:
            now = self._clock()
            turn = max(self._free_at, now - self._ahead)
            self._free_at = turn + self._interval
        if turn > now:
            self._sleep(turn - now)

    def pause(self, seconds: float) -> None:
        """Let nobody through for so many seconds from now."""
        with self._lock:
            self._free_at = max(self._free_at, self._clock() + seconds)
