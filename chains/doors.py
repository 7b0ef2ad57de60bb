"""The front door to the network: the address of a provider says which way a request goes."""

import time
from collections.abc import Callable

from chains.http import HttpTransport, Limits
from chains.lines import LineTransport
from chains.providers import LINE_SCHEMES, Provider
from chains.transport import Request, Response


class NetworkTransport:
    """Send over HTTP(S), or as lines where the address is of tcp:// or ssl://. Raises TransportError."""

    def __init__(self, limits: Limits | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self._http = HttpTransport(limits, sleep)
        self._lines = LineTransport(limits, sleep)

    def send(self, provider: Provider, request: Request) -> Response:
        way = self._lines if provider.url.startswith(LINE_SCHEMES) else self._http
        return way.send(provider, request)

    def pause(self, seconds: float) -> None:
        """Wait before a question is asked again."""
        self._http.pause(seconds)
