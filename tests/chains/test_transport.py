"""The only door to the network, against servers that lie, hang, flood and break off: quick, clear, bounded refusals."""

import gzip
import json
import socketserver
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.decode import parse_json
from chains.errors import ChainError, InvalidAnswerError, ProviderError, TransportError
from chains.http import HttpTransport, Limits
from chains.ids import ChainId
from chains.jsonrpc import JsonRpc
from chains.providers import Provider
from chains.transport import Request

Script = Callable[[Any, int], None]
ASK = Request("POST", "/rpc", b"{}")
QUICK = Limits(connect=1, read=0.4, total=1.5, bytes=1024 * 1024, tries=2, longest_wait=0.05)
PATIENT = 5.0


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def _serving(script: Script) -> Iterator[Provider]:
    """A raw TCP server that reads one request per connection and then does what `script(connection, number)` says."""
    counter = iter(range(1000))

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while (line := self.rfile.readline().lower()).strip():
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            self.rfile.read(length)
            try:
                script(self.request, next(counter))
            except OSError:
                return

    with _Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/secret-key"
        try:
            yield Provider("liar", ChainId("eip155:1"), "json-rpc", (), url, "user", "hunter2")
        finally:
            server.shutdown()


def _http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _always(answer: bytes) -> Script:
    return lambda connection, number: connection.sendall(answer)


def _refused(script: Script, limits: Limits = QUICK) -> str:
    """Send to a hostile server; return the error's text, which came in time and holds no secret."""
    with _serving(script) as provider:
        started = time.monotonic()
        with pytest.raises(TransportError) as caught:
            HttpTransport(limits).send(provider, ASK)
        assert time.monotonic() - started < PATIENT
    text = str(caught.value)
    assert text.startswith("liar/json-rpc/eip155:1: ")
    for secret in ("secret-key", "127.0.0.1", "hunter2"):
        assert secret not in text
    return text


def _rpc(answer: Any, status: str = "200 OK") -> Iterator[JsonRpc]:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    with _serving(_always(_http(body, status))) as provider:
        yield JsonRpc(HttpTransport(QUICK), provider)


def test_an_honest_answer_arrives_with_its_evidence() -> None:
    with _serving(_always(_http(b'{"a":1}'))) as provider:
        first = HttpTransport(QUICK).send(provider, ASK)
        second = HttpTransport(QUICK).send(provider, ASK)
        other = HttpTransport(QUICK).send(provider, Request("POST", "/rpc", b"[]"))
    assert (first.status, first.body) == (200, b'{"a":1}')
    assert first.evidence == second.evidence != other.evidence


def test_a_server_that_never_answers_is_given_up() -> None:
    assert "no answer in time" in _refused(lambda connection, number: time.sleep(PATIENT))


def test_a_body_that_drips_is_given_up_at_the_deadline() -> None:
    def drip(connection: Any, number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.1)

    assert "longer than 1.5 s" in _refused(drip)


def test_headers_that_drip_are_given_up_at_the_deadline() -> None:
    def drip(connection: Any, number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(100):
            connection.sendall(b"a")
            time.sleep(0.1)

    assert "longer than 1.5 s" in _refused(drip)


def test_a_body_without_a_length_that_we_cut_off_is_not_taken_for_whole() -> None:
    def drip(connection: Any, number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.1)

    assert "longer than 1.5 s" in _refused(drip)


def test_a_flood_is_cut_off_at_the_bound_in_bounded_memory() -> None:
    def flood(connection: Any, number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        for _ in range(1600):
            connection.sendall(bytes(65536))

    tracemalloc.start()
    try:
        assert "larger than 1,048,576 bytes" in _refused(flood)
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_compressed_bomb_is_cut_off_at_the_bound_in_bounded_memory() -> None:
    bomb = gzip.compress(bytes(100 * 1024 * 1024))
    tracemalloc.start()
    try:
        text = _refused(_always(_http(bomb, "200 OK", "Content-Encoding: gzip")))
        assert "larger than 1,048,576 bytes" in text
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_compressed_answer_is_read() -> None:
    with _serving(_always(_http(gzip.compress(b'{"a":1}'), "200 OK", "Content-Encoding: gzip"))) as provider:
        assert HttpTransport(QUICK).send(provider, ASK).body == b'{"a":1}'


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff\x00\xff",
        b"HTTP/9.9 what\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        _http(b"not gzip", "200 OK", "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
    ids=["nothing", "bytes", "version", "short", "chunk", "half chunk", "gzip", "headers", "long header"],
)
def test_an_exchange_that_breaks_off_is_a_transport_error(answer: bytes) -> None:
    assert "after 2 tries" in _refused(_always(answer))


def test_a_server_that_recovers_is_asked_again() -> None:
    def second_time(connection: Any, number: int) -> None:
        if number == 0:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        else:
            connection.sendall(_http(b"{}"))

    with _serving(second_time) as provider:
        assert HttpTransport(QUICK).send(provider, ASK).body == b"{}"


@pytest.mark.parametrize(
    ("header", "waits"),
    [
        ("Retry-After: 7", [7.0, 7.0]),
        ("Retry-After: 99999", [30.0, 30.0]),
        ("Retry-After: Fri, 31 Dec 2100 23:59:59 GMT", [30.0, 30.0]),
        ("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT", [1.0, 2.0]),
        ("Retry-After: tomorrow", [1.0, 2.0]),
        ("Retry-After: -5", [1.0, 2.0]),
        ("Retry-After: 9999999999999999999999", [1.0, 2.0]),
        ("X: y", [1.0, 2.0]),
    ],
)
def test_a_busy_server_is_asked_again_after_the_time_it_names(header: str, waits: list[float]) -> None:
    waited: list[float] = []
    limits = Limits(read=1, total=600, tries=3, longest_wait=30)
    with (
        _serving(_always(_http(b"slow down", "429 Too Many Requests", header))) as provider,
        pytest.raises(TransportError, match="HTTP 429, after 3 tries"),
    ):
        HttpTransport(limits, waited.append).send(provider, ASK)
    assert waited == pytest.approx(waits, abs=0.5)


def test_a_wait_beyond_the_deadline_is_not_waited() -> None:
    limits = Limits(read=1, total=5, tries=4, longest_wait=60)
    with (
        _serving(_always(_http(b"", "503 Service Unavailable", "Retry-After: 50"))) as provider,
        pytest.raises(TransportError, match="HTTP 503, after 1 tries"),
    ):
        HttpTransport(limits, lambda seconds: pytest.fail("waited")).send(provider, ASK)


def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    def elsewhere(connection: Any, number: int) -> None:
        asked.append("elsewhere")
        connection.sendall(_http(b"{}"))

    with _serving(elsewhere) as other:
        moved = _http(b"moved", "307 Temporary Redirect", f"Location: {other.url}")
        with _serving(_always(moved)) as provider:
            response = HttpTransport(QUICK).send(provider, ASK)
            with pytest.raises(InvalidAnswerError, match="not JSON"):
                JsonRpc(HttpTransport(QUICK), provider).call("eth_chainId")
    assert response.status == 307
    assert asked == []


def test_credentials_are_sent_to_the_provider_only_and_never_shown() -> None:
    provider = Provider("liar", ChainId("eip155:1"), "json-rpc", (), "http://127.0.0.1:9/secret-key", "user", "hunter2")
    with pytest.raises(TransportError, match="cannot be reached") as caught:
        HttpTransport(QUICK).send(provider, ASK)
    for secret in ("secret-key", "127.0.0.1", "hunter2"):
        assert secret not in str(caught.value)
        assert secret not in repr(provider)


@pytest.mark.parametrize(
    "url", ["http://", "http://[::1", "http://a b/", "http://\udcff/", "http://x:99999/", "http://" + "a" * 300]
)
def test_an_impossible_address_is_a_transport_error(url: str) -> None:
    provider = Provider("liar", ChainId("eip155:1"), "json-rpc", (), url)
    with pytest.raises(TransportError) as caught:
        HttpTransport(QUICK).send(provider, ASK)
    assert url not in str(caught.value)


def test_a_provider_without_an_address_is_only_for_replay() -> None:
    with pytest.raises(TransportError, match="only be replayed"):
        HttpTransport(QUICK).send(Provider("a", ChainId("eip155:1"), "json-rpc"), ASK)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>cloud</html>",
        b"\xff\xfe",
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b"[" * 70 + b"]" * 70,
        b"5",
        b"null",
        b"{}",
        b"[]",
        b'{"jsonrpc":"2.0","id":0}',
        b'{"jsonrpc":"2.0","id":0,"error":null}',
        b'{"jsonrpc":"2.0","id":1,"result":"0x1"}',
        b'{"jsonrpc":"2.0","id":true,"result":"0x1"}',
        b'{"jsonrpc":"2.0","id":"0","result":"0x1"}',
        b'{"jsonrpc":"2.0","result":"0x1"}',
        b'{"id":0,"result":1,"result":2}',
        b'{"id":0,"result":NaN}',
        b'{"id":0,"result":1e999999999}',
        b'{"id":0,"result":1e99999999999999999999999}',
        b'{"id":0,"result":' + b"9" * 5000 + b"}",
    ],
    ids=lambda answer: answer[:24].decode("latin-1"),
)
def test_what_is_not_an_answer_is_an_invalid_answer(answer: bytes) -> None:
    for rpc in _rpc(answer):
        started = time.monotonic()
        with pytest.raises(InvalidAnswerError, match="liar"):
            rpc.call("eth_chainId")
        assert time.monotonic() - started < PATIENT


def _entry(number: Any, result: str = "0x1") -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "result": result}


@pytest.mark.parametrize(
    "answer",
    [
        [_entry(0), _entry(0)],
        [_entry(0)],
        [_entry(0), _entry(1), _entry(1)],
        [_entry(0), _entry(2)],
        [_entry(0), _entry(True)],
        [_entry(0), _entry("1")],
        [_entry(0), 5],
        [],
        [[], []],
        _entry(0),
    ],
    ids=["twice", "one", "extra", "other", "true", "text", "number", "none", "lists", "single"],
)
def test_a_batch_with_missing_repeated_or_foreign_ids_is_refused(answer: Any) -> None:
    for rpc in _rpc(answer):
        with pytest.raises(InvalidAnswerError, match="batch"):
            list(rpc.batch([("a", []), ("b", [])]))


def test_a_batch_in_any_order_is_put_in_order() -> None:
    for rpc in _rpc([_entry(1, "second"), _entry(0, "first")]):
        assert [answer.result for answer in rpc.batch([("a", []), ("b", [])])] == ["first", "second"]


def test_one_refused_call_of_a_batch_spoils_no_other() -> None:
    refused = {"jsonrpc": "2.0", "id": 0, "error": {"code": -32000, "message": "missing trie node"}}
    for rpc in _rpc([refused, _entry(1)]):
        first, second = rpc.batch([("a", []), ("b", [])])
    assert first.error is not None
    assert first.error.code == -32000
    assert second.result == "0x1"


@pytest.mark.parametrize("status", ["500 Internal Server Error", "403 Forbidden", "404 Not Found"])
@pytest.mark.parametrize("body", [b"oops", b"", b"{}", json.dumps(_entry(0)).encode()])
def test_an_http_error_is_never_an_answer(status: str, body: bytes) -> None:
    for rpc in _rpc(body, status):
        with pytest.raises(ProviderError, match=f"HTTP {status[:3]}") as caught:
            rpc.call("eth_chainId")
        assert caught.value.code == int(status[:3])


def test_an_error_object_under_an_http_error_keeps_its_own_words() -> None:
    for rpc in _rpc({"id": None, "error": {"code": -32005, "message": "daily limit"}}, "500 Internal Server Error"):
        with pytest.raises(ProviderError, match=r"daily limit \(code -32005\)"):
            rpc.call("eth_chainId")


@pytest.mark.parametrize("message", ["\x1b[2J\x07", "\ud800", "a\nb", "x" * 10_000, {"a": 1}, None, 5])
def test_an_error_message_cannot_steer_a_terminal_or_break_an_encoder(message: Any) -> None:
    for rpc in _rpc({"id": 0, "error": {"code": 1, "message": message}}):
        with pytest.raises(ProviderError) as caught:
            rpc.call("eth_chainId")
        text = str(caught.value)
        assert text.isprintable()
        assert text.encode("utf-8")
        assert len(text) < 300


@pytest.mark.parametrize("error", [5, "broken", [], {}, {"code": "x", "message": "m"}, {"code": True}])
def test_an_error_object_of_any_shape_is_an_error(error: Any) -> None:
    for rpc in _rpc({"id": 0, "error": error}):
        with pytest.raises(ProviderError, match="liar"):
            rpc.call("eth_chainId")


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_decode_or_raise_our_error(text: bytes) -> None:
    try:
        parse_json(text)
    except InvalidAnswerError:
        return


@given(st.from_regex(rb"\A-?[0-9]{1,4}(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,30})?\Z"))
def test_numbers_of_any_kind_decode_exactly_or_raise_our_error(text: bytes) -> None:
    try:
        value = parse_json(text)
    except InvalidAnswerError:
        return
    assert not isinstance(value, float)
    assert abs(int(value)) < 10**410


def test_one_repeated_key_among_many_is_found_quickly() -> None:
    keys = ",".join(f'"{number}":0' for number in range(200_000))
    started = time.monotonic()
    with pytest.raises(InvalidAnswerError, match="twice"):
        parse_json(f'{{{keys},"199999":0}}'.encode())
    assert time.monotonic() - started < PATIENT


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 10**6,
        b"[" * 10**6 + b"]" * 10**6,
        b'{"a":' * 10**6,
        b"[" * 10**6 + b'"' + b"]" * 10**6,
        b'[{"a":' * 10**5,
    ],
    ids=["open", "closed", "objects", "string", "mixed"],
)
def test_deep_nesting_is_refused_however_far_python_may_recurse(text: bytes) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10**8)
    try:
        with pytest.raises(InvalidAnswerError, match=r"nested deeper|do not match"):
            parse_json(text)
    finally:
        sys.setrecursionlimit(limit)


def test_brackets_in_strings_are_not_nesting() -> None:
    tricky = ["[" * 500, "]" * 500, '\\"[[', "\\", '{"']
    assert parse_json(json.dumps({"a": tricky}).encode()) == {"a": tricky}


@pytest.mark.parametrize(
    "text", [b'"' + b'\\"' * 10**6, b'"' + b"a" * 10**7, b'"' + b"\\\\" * 10**6 + b'"', b"\\" * 10**6, b'"\\']
)
def test_endless_strings_are_read_or_refused_quickly(text: bytes) -> None:
    started = time.monotonic()
    with suppress(InvalidAnswerError):
        parse_json(text)
    assert time.monotonic() - started < PATIENT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**300), 10**300) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(JSON)
def test_json_of_any_shape_is_read_as_it_was_written(value: Any) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


def test_every_refusal_is_one_of_ours() -> None:
    assert all(issubclass(kind, ChainError) for kind in (TransportError, InvalidAnswerError, ProviderError))
