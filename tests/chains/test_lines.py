"""The door to servers that speak in lines, against servers that lie, hang, flood and break off: bounded refusals."""

import json
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chains.doors import NetworkTransport
from chains.errors import NetworkDataError, TransportError
from chains.http import Limits
from chains.ids import ChainId
from chains.lines import LineTransport
from chains.pacing import Rate
from chains.providers import Provider, load_providers
from chains.transport import Request
from tests.live.loopback_server import served_on_loopback

QUICK = Limits(connect=1, read=0.4, total=1.5, bytes=1024 * 1024, tries=2, longest_wait=0.05)
PATIENT = 5.0
CHAIN = ChainId("bip122:000000000019d6689c085ae165831e93")

Say = Callable[[Any], None]
# Told each question that is not the greeting; `say` sends an object as a line, or bytes as they are.
Script = Callable[[dict[str, Any], Say], None]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def serving_lines(
    script: Script, certificate: Path | None = None, greeting: Any = ("liar", "1.4")
) -> Iterator[tuple[Provider, list[str]]]:
    """Serve on loopback; yield the provider and the list of connections and greetings that come to be."""
    seen: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate:
        context.load_cert_chain(certificate)

    class Handler(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            seen.append("connection")
            if certificate:
                self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def handle(self) -> None:
            for line in self.rfile:
                question = json.loads(line)
                if question["method"] == "server.version":
                    seen.append("greeting")
                    self.say({"id": question["id"], "result": greeting} if greeting else {"id": 0, "error": {}})
                else:
                    script(question, self.say)

        def say(self, answer: Any) -> None:
            self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode() + b"\n")

    class Quiet(_Server):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Be silent: clients of these servers hang up in the middle of everything."""

    with Quiet(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        scheme = "ssl" if certificate else "tcp"
        url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        try:
            yield Provider("liar", CHAIN, "electrum", (), url), seen
        finally:
            server.shutdown()


def asking(count: int, size: int = 0) -> Request:
    lines = [json.dumps({"id": number, "method": "echo", "params": ["x" * size]}) for number in range(count)]
    return Request("POST", "", "\n".join(lines).encode())


def echo(question: dict[str, Any], say: Say) -> None:
    say({"id": question["id"], "result": question["params"]})


def _refused(script: Script, limits: Limits = QUICK, count: int = 2, **named: Any) -> str:
    """Ask a hostile server; return the error's text, which came in time and holds no address."""
    with serving_lines(script, **named) as (provider, _):
        started = time.monotonic()
        with pytest.raises(TransportError) as caught:
            LineTransport(limits).send(provider, asking(count))
        assert time.monotonic() - started < PATIENT
    text = str(caught.value)
    assert text.startswith(f"liar/electrum/{CHAIN}: ")
    assert "127.0.0.1" not in text
    return text


def test_answers_come_in_the_order_of_their_ids_without_notifications() -> None:
    held: list[dict[str, Any]] = []

    def backwards(question: dict[str, Any], say: Say) -> None:
        held.append(question)
        say({"method": "news", "params": []})
        if len(held) == 3:
            for one in reversed(held):
                echo(one, say)
            held.clear()

    with serving_lines(backwards) as (provider, _):
        transport = LineTransport(QUICK)
        first, second = transport.send(provider, asking(3)), transport.send(provider, asking(3))
    assert [json.loads(line)["id"] for line in first.body.split(b"\n")] == [0, 1, 2]
    assert first == second
    assert first.status == 200


def test_one_connection_is_kept_and_greeted_once() -> None:
    with serving_lines(echo) as (provider, seen):
        transport = LineTransport(QUICK)
        for _ in range(3):
            transport.send(provider, asking(2))
        assert seen == ["connection", "greeting"]
        transport.close()
        transport.send(provider, asking(1))
        assert seen == ["connection", "greeting"] * 2


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again() -> None:
    def once(question: dict[str, Any], say: Say) -> None:
        echo(question, say)
        raise ConnectionAbortedError

    with serving_lines(once) as (provider, seen):
        transport = LineTransport(QUICK._replace(tries=1))
        transport.send(provider, asking(1))
        time.sleep(0.1)
        transport.send(provider, asking(1))
    assert seen.count("connection") == 2


@pytest.mark.parametrize("more", [b'{"id": 0, "result": "late"}\n', b'{"id": 0, "result": "la', b"what?\n"])
def test_what_comes_after_the_answer_is_not_taken_for_the_next_one(more: bytes) -> None:
    def talkative(question: dict[str, Any], say: Say) -> None:
        echo(question, say)
        say(more)

    with serving_lines(talkative) as (provider, seen):
        transport = LineTransport(QUICK._replace(tries=1))
        transport.send(provider, asking(1))
        time.sleep(0.1)
        assert b"late" not in transport.send(provider, asking(1)).body
    assert seen.count("connection") == 2


def test_a_connection_is_not_used_again_after_a_refusal() -> None:
    calls = iter(range(100))

    def late(question: dict[str, Any], say: Say) -> None:
        if next(calls):
            echo(question, say)
            return
        say(b"what?\n")
        time.sleep(0.2)
        say({"id": 0, "result": "late"})

    with serving_lines(late) as (provider, _):
        transport = LineTransport(QUICK)
        with pytest.raises(TransportError, match="not usable"):
            transport.send(provider, asking(1))
        assert b"late" not in transport.send(provider, asking(1)).body


def test_no_more_than_some_hundred_questions_wait_for_their_answers() -> None:
    heard: list[int] = []
    with (
        serving_lines(lambda question, say: heard.append(question["id"])) as (provider, _),
        pytest.raises(TransportError, match="no answer in time"),
    ):
        LineTransport(QUICK._replace(tries=1)).send(provider, asking(600))
    assert heard == list(range(500))


def test_full_buffers_on_both_sides_stop_neither() -> None:
    """The server answers each question before it reads the next: a client that only sent would wait for ever."""
    with serving_lines(echo) as (provider, _):
        body = LineTransport(Limits(read=10, total=20, tries=1)).send(provider, asking(3_000, 4_000)).body
    assert body.count(b"\n") == 2_999
    assert len(body) > 3_000 * 4_000


def test_a_server_that_recovers_is_asked_everything_again() -> None:
    calls = iter(range(100))

    def second_time(question: dict[str, Any], say: Say) -> None:
        if next(calls) == 1:
            raise ConnectionAbortedError
        echo(question, say)

    with serving_lines(second_time) as (provider, seen):
        assert LineTransport(QUICK).send(provider, asking(3)).body.count(b"\n") == 2
    assert seen.count("greeting") == 2


def _first_only(question: dict[str, Any], say: Say) -> None:
    if question["id"] == 0:
        echo(question, say)


def _drip(question: dict[str, Any], say: Say) -> None:
    for _ in range(100):
        say(b" ")
        time.sleep(0.1)


def _flood(question: dict[str, Any], say: Say) -> None:
    while True:
        say({"method": "news"})


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (lambda question, say: None, "no answer in time, after 2 tries"),
        (_first_only, "no answer in time, after 2 tries"),
        (_drip, "longer than 1.5 s"),
        (_flood, "more than 10,000 lines"),
        (lambda question, say: say(b"x" * 2_000_000), "larger than 1,048,576 bytes"),
        (lambda question, say: say(b"<html>\n"), "not usable: not JSON"),
        (lambda question, say: say(b"\xff\xfe\n"), "not usable: not UTF-8"),
        (lambda question, say: say(b"[" * 5_000 + b"\n"), "not usable"),
        (lambda question, say: say([{"id": 0, "result": 1}]), "answers no question"),
        (lambda question, say: say({"id": 7, "result": 1}), "answers no question"),
        (lambda question, say: say({"id": True, "result": 1}), "answers no question"),
        (lambda question, say: say({"id": "0", "result": 1}), "answers no question"),
        (lambda question, say: say({"id": None, "error": {"code": -32700}}), "answers no question"),
        (lambda question, say: say({"id": 0, "result": 1}), "question 0 was answered twice"),
    ],
    ids=[
        *("silent", "half", "drip", "flood", "bytes", "html", "utf-8", "deep", "list", "other id", "true", "text"),
        *("no id", "twice"),
    ],
)
def test_a_server_out_of_order_is_refused_in_time(script: Script, said: str) -> None:
    assert said in _refused(script)


def test_an_endless_line_is_cut_off() -> None:
    def endless(question: dict[str, Any], say: Say) -> None:
        while True:
            say(b"x" * 65_536)

    limits = QUICK._replace(bytes=64 * 1024 * 1024, total=10, read=5)
    assert "a line of the answer is longer than 16,777,216 bytes" in _refused(endless, limits)


def test_a_server_that_hangs_up_is_given_up() -> None:
    def hang_up(question: dict[str, Any], say: Say) -> None:
        raise ConnectionAbortedError

    assert "after 2 tries" in _refused(hang_up)


def test_a_refused_greeting_is_final() -> None:
    assert "refused the greeting server.version ['1.4', '1.5']" in _refused(echo, greeting=None)


def test_each_line_waits_for_its_turn() -> None:
    waited: list[float] = []
    with serving_lines(echo) as (provider, _):
        paced = replace(provider, rate=Rate(60, 60))
        LineTransport(QUICK, waited.append).send(paced, asking(3))
    assert waited == pytest.approx([1, 2, 3], abs=0.5)  # the first turn, which is free, was the connection's


@pytest.mark.parametrize(
    "url", ["tcp://", "tcp://127.0.0.1", "tcp://[::1", "ssl://a b", "tcp://x:99999", "ftp://127.0.0.1:1", "tcp://:5"]
)
def test_an_impossible_address_is_a_transport_error(url: str) -> None:
    with pytest.raises(TransportError, match="the address has not the form"):
        LineTransport(QUICK).send(Provider("liar", CHAIN, "electrum", (), url), asking(1))


def test_nobody_there_and_nobody_named_are_transport_errors() -> None:
    for url, said in (("tcp://127.0.0.1:9", "cannot be reached, after 2 tries"), ("", "only be replayed")):
        with pytest.raises(TransportError, match=said) as caught:
            LineTransport(QUICK).send(Provider("liar", CHAIN, "electrum", (), url), asking(1))
        assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"{}", b"5", b"not json", b'{"id":0}\n{"id":0}', b'{"id":"a"}', b'{"id":0}\n'])
def test_questions_without_numbers_of_their_own_are_not_sent(body: bytes) -> None:
    with serving_lines(echo) as (provider, seen):
        with pytest.raises(TransportError, match="question"):
            LineTransport(QUICK).send(provider, Request("POST", "", body))
        assert seen == []


def self_signed(folder: Path, name: str = "127.0.0.1") -> tuple[Path, str]:
    """Write a key and a certificate that is valid for `name`; return the file and the certificate's SHA-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path, sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def test_a_certificate_nobody_vouches_for_is_refused_unless_it_is_the_pinned_one(tmp_path: Path) -> None:
    file, fingerprint = self_signed(tmp_path)
    with serving_lines(echo, file) as (provider, _):
        with pytest.raises(TransportError, match="certificate was not accepted"):
            LineTransport(QUICK).send(provider, asking(1))
        pinned = replace(provider, options=(("certificate", fingerprint.upper()),))
        assert b"result" in LineTransport(QUICK).send(pinned, asking(1)).body
        other = replace(provider, options=(("certificate", "ab" * 32),))
        with pytest.raises(TransportError, match="another one is pinned"):
            LineTransport(QUICK).send(other, asking(1))


def test_a_certificate_must_be_of_the_host_that_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, accepted in (("127.0.0.1", True), ("127.0.0.2", False)):
        file, _ = self_signed(tmp_path, name)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        with serving_lines(echo, file) as (provider, _):
            if accepted:
                assert LineTransport(QUICK).send(provider, asking(300, 3_000)).body.count(b"\n") == 299
                continue
            with pytest.raises(TransportError, match="certificate was not accepted"):
                LineTransport(QUICK).send(provider, asking(1))


def test_tls_that_cannot_be_agreed_on_is_a_transport_error() -> None:
    with serving_lines(echo) as (provider, _):
        secured = replace(provider, url=provider.url.replace("tcp", "ssl"))
        with pytest.raises(TransportError, match="after 2 tries"):
            LineTransport(QUICK).send(secured, asking(1))
        pinned = replace(provider, options=(("certificate", "ab" * 32),))
        with pytest.raises(TransportError, match="pins a certificate"):
            LineTransport(QUICK).send(pinned, asking(1))


def test_the_front_door_goes_by_the_address() -> None:
    door = NetworkTransport(QUICK)
    with serving_lines(echo) as (provider, _), served_on_loopback(lambda path, asked: (200, "over http")) as url:
        assert b"result" in door.send(provider, asking(1)).body
        assert door.send(replace(provider, url=url), Request("GET", "/")).body == b'"over http"'


@pytest.mark.parametrize(
    ("dialect", "url", "accepted"),
    [
        ("electrum", "tcp://127.0.0.1:50001", True),
        ("electrum", "ssl://127.0.0.1:50002", True),
        ("electrum", "http://127.0.0.1:50001", False),
        ("bitcoin-core", "tcp://127.0.0.1:8332", False),
    ],
)
def test_a_providers_file_names_addresses_its_dialect_can_use(
    tmp_path: Path, dialect: str, url: str, accepted: bool
) -> None:
    path = tmp_path / "providers.toml"
    path.write_text(f'[[provider]]\noperator = "a"\nchain = "{CHAIN}"\ndialect = "{dialect}"\nurl = "{url}"\n')
    if accepted:
        assert load_providers(path).providers[0].url == url
        return
    with pytest.raises(NetworkDataError, match="with an address of"):
        load_providers(path)
