"""Fake price interfaces on loopback, in the shapes of public ones, and plans that ask them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chains.http import HttpTransport, Limits
from chains.transport import Transport
from verifier.declaration import utc_seconds
from verifier.prices.gather import Gathered, gather_quotes
from verifier.prices.plan import PricePlan

BTC = "bip122:000000000019d6689c085ae165831e93/slip44:0"
AS_OF = "2026-11-22T00:00:00Z"
NOW = utc_seconds(AS_OF)
DAY = 86_400


def candles(price: str, at: int = NOW) -> str:
    return f"[[{at}, 1, 9, 5, {price}, 7]]"


def ohlc(price: str, at: int = NOW) -> str:
    return json.dumps({"error": [], "result": {"XXBTZJPY": [[at, "1", "9", "1", price, "2", "3", 4]], "last": at}})


def chart(price: str, at: int = NOW) -> str:
    return f'{{"prices": [[{at * 1000}, {price}]]}}'


def simple(price: str, at: int = NOW) -> str:
    return f'{{"bitcoin": {{"jpy": {price}, "last_updated_at": {at}}}}}'


@contextmanager
def apis(pages: dict[str, tuple[int, str]]) -> Iterator[str]:
    """Serve fixed pages on loopback and yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = pages.get(self.path, (404, "no such page"))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def source(dialect: str, path: str, url: str, operator: str = "") -> dict[str, Any]:
    symbol = {"kraken-ohlc": "XXBTZJPY", "coingecko-simple": "bitcoin"}.get(dialect, "")
    return {"operator": operator or dialect, "dialect": dialect, "path": path, "url": url, "symbol": symbol}


def plan(*sources: dict[str, Any], lookback: int = 0, **rules: Any) -> PricePlan:
    wanted = {"asset": BTC, "currency": "JPY", "lookback_days": lookback, "source": list(sources)}
    return PricePlan.model_validate({"format": "reserve-verifier/prices/1", "price": [wanted], **rules})


def gathered(asked: PricePlan, transport: Transport | None = None) -> Gathered:
    return gather_quotes(asked, AS_OF, transport or HttpTransport(Limits(tries=1, read=5, connect=5)))


def rows_plan(*sources: list[tuple[int, str]], **rules: Any) -> PricePlan:
    given = [{"operator": f"file {n}", "dialect": "csv", "rows": rows} for n, rows in enumerate(sources)]
    return plan(*given, **rules)


PAGES = {
    "/candles": (200, candles("0.1")), "/ohlc": (200, ohlc("0.30")), "/chart": (200, chart("0.2")),
    "/simple": (200, simple("0.25")), "/late": (200, candles("0.1", NOW - 3_601)), "/nan": (200, ohlc("NaN")),
    "/negative": (200, ohlc("-1")), "/zero": (200, ohlc("0")), "/huge": (200, ohlc("1e400")),
    "/moved": (302, ""), "/down": (500, "oops"), "/shape": (200, '{"result": {}}'), "/text": (200, "hello"),
}  # fmt: skip
