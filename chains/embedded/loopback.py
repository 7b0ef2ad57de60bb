"""A small HTTP server on loopback that speaks JSON-RPC 2.0 (single and batch) and plain GET."""

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self

Method = Callable[..., Any]
MAX_BODY = 64 * 1024 * 1024


class RpcFaultError(Exception):
    """An error object to answer with: JSON-RPC code and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class LoopbackServer:
    """Serve `methods` (JSON-RPC by name) and `pages` (a function from a GET path to text, None meaning 404).

    Calls are answered one at a time: the engines behind it are not made for threads. `url` is known once entered.
    """

    def __init__(self, methods: Mapping[str, Method], pages: Callable[[str], str | None] | None = None) -> None:
        self._methods = methods
        self._pages = pages or (lambda path: None)
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = min(int(self.headers.get("Content-Length", "0")), MAX_BODY)
                question = json.loads(self.rfile.read(length))
                with outer._lock:
                    answer = outer._answer_all(question)
                self._send(200, json.dumps(answer).encode(), "application/json")

            def do_GET(self) -> None:
                with outer._lock:
                    text = outer._pages(self.path)
                self._send(404 if text is None else 200, (text or "not found").encode(), "text/plain")

            def _send(self, status: int, body: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- inherited signature
                """Stay silent: the command line owns the terminal."""

        return Handler

    def _answer_all(self, question: Any) -> Any:
        if isinstance(question, list):
            return [self._answer(item) for item in question]
        return self._answer(question)

    def _answer(self, question: Any) -> dict[str, Any]:
        base = {"jsonrpc": "2.0", "id": question.get("id")}
        method = self._methods.get(question.get("method"))
        if method is None:
            return base | {"error": {"code": -32601, "message": f"no such method: {question.get('method')}"}}
        try:
            return base | {"result": method(*question.get("params", []))}
        except RpcFaultError as fault:
            return base | {"error": {"code": fault.code, "message": fault.message}}
