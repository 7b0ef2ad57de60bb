"""A transcript replays exactly, resumes after a kill, and shows every edit."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import NetworkDataError, TransportError
from chains.ids import ChainId
from chains.providers import Provider
from chains.transcript import Call, Key, RecordingTransport, ReplayTransport, Transcript, encode_call
from chains.transport import Request, Response, evidence_id

PROVIDER = Provider("operator", ChainId("eip155:1"), "json-rpc")


class Counting:
    """A transport whose every answer is new, so that asking twice shows."""

    def __init__(self, fail: bool = False) -> None:
        self.sent = 0
        self.fail = fail

    def send(self, provider: Provider, request: Request) -> Response:
        self.sent += 1
        if self.fail:
            raise TransportError("operator: cannot be reached")
        body = f"answer {self.sent}".encode()
        return Response(200, body, evidence_id(provider, request, 200, body))


def question(text: str) -> Request:
    return Request("POST", "", text.encode())


def test_the_same_question_asked_twice_keeps_two_answers(tmp_path: Path) -> None:
    recording = RecordingTransport(Counting(), tmp_path / "journal")
    asked = [recording.send(PROVIDER, question("hash?")).body for _ in range(2)]
    replay = ReplayTransport(recording.close())
    assert [replay.send(PROVIDER, question("hash?")).body for _ in range(2)] == asked == [b"answer 1", b"answer 2"]
    assert replay.unused() == 0


def test_an_interrupted_run_asks_only_what_is_missing(tmp_path: Path) -> None:
    first = RecordingTransport(Counting(), tmp_path / "journal")
    first.send(PROVIDER, question("a"))
    first.send(PROVIDER, question("b"))
    with (tmp_path / "journal").open("ab") as file:
        file.write(b'{"answer":{"text":"torn')
    inner = Counting()
    second = RecordingTransport(inner, tmp_path / "journal")
    assert second.send(PROVIDER, question("a")).body == b"answer 1"
    second.send(PROVIDER, question("c"))
    assert (inner.sent, second.resumed) == (1, 2)
    assert len(second.close()) == 2


def test_a_failure_is_recorded_and_replays_as_a_failure(tmp_path: Path) -> None:
    recording = RecordingTransport(Counting(fail=True), tmp_path / "journal")
    with pytest.raises(TransportError):
        recording.send(PROVIDER, question("a"))
    replay = ReplayTransport(recording.close())
    with pytest.raises(TransportError, match="cannot be reached"):
        replay.send(PROVIDER, question("a"))


def test_a_failed_call_is_asked_again_when_the_run_is_resumed(tmp_path: Path) -> None:
    with pytest.raises(TransportError):
        RecordingTransport(Counting(fail=True), tmp_path / "journal").send(PROVIDER, question("a"))
    assert RecordingTransport(Counting(), tmp_path / "journal").send(PROVIDER, question("a")).body == b"answer 1"


def test_a_replay_has_no_way_to_ask_something_new() -> None:
    with pytest.raises(TransportError, match="no answer"):
        ReplayTransport(Transcript(())).send(PROVIDER, question("a"))


calls = st.builds(
    lambda provider, method, path, body, ordinal, status, answer: Call(
        Key(provider, Request(method, path, body), ordinal), status, answer
    ),
    st.text(max_size=10),
    st.sampled_from(["GET", "POST"]),
    st.text(max_size=10),
    st.binary(max_size=40),
    st.integers(0, 5),
    st.integers(100, 599),
    st.binary(max_size=60),
)


@given(st.lists(calls, max_size=6))
def test_the_canonical_form_round_trips_and_ignores_order(
    tmp_path_factory: pytest.TempPathFactory, made: list[Call]
) -> None:
    path = tmp_path_factory.mktemp("transcript") / "calls.jsonl"
    one, other = Transcript(made), Transcript(list({call.key: call for call in made}.values())[::-1])
    path.write_bytes(one.to_bytes())
    assert Transcript.load(path).digest == one.digest == other.digest


@given(st.data())
def test_no_flipped_bit_goes_unnoticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("transcript") / "calls.jsonl"
    original = Transcript([Call(Key("operator", question("a"), 0), 200, b'{"result":"0x1"}')])
    text = bytearray(original.to_bytes())
    position = data.draw(st.integers(0, len(text) * 8 - 1))
    text[position // 8] ^= 1 << position % 8
    path.write_bytes(bytes(text))
    with suppress(NetworkDataError):
        assert Transcript.load(path).digest != original.digest


def test_the_same_call_twice_in_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(encode_call(Call(Key("operator", question("a"), 0), 200, b"1")) * 2)
    with pytest.raises(NetworkDataError, match="twice"):
        Transcript.load(path)


def test_a_line_that_was_reformatted_is_refused_although_it_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(encode_call(Call(Key("operator", question("a"), 0), 200, b"1")).replace(b",", b", ", 1))
    with pytest.raises(NetworkDataError, match="line 1 is not in canonical form"):
        Transcript.load(path)
