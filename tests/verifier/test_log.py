"""A log in plain files: proofs as others make them, crashes at every step, tampering, and two versions of one log."""

import base64
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree, verify_consistency

from verifier.errors import InputError
from verifier.log import writer
from verifier.log.audit import audit_log
from verifier.log.checkpoint import Checkpoint, read_checkpoint, trusted_checkpoint
from verifier.log.compare import compare_heads
from verifier.log.merkle import (
    EMPTY_ROOT,
    consistency_path,
    inclusion_path,
    is_consistent,
    leaf_hash,
    node_hash,
    root_of_inclusion,
    tree_root,
)
from verifier.log.note import COSIGNATURE, Note, Signer, cosign, parse_key, parse_note, sign_note, verified_by
from verifier.log.policy import judge_head, parse_policy
from verifier.log.proof import check_proof, parse_proof, prove_entry
from verifier.log.tiles import TreeFiles, tile_name
from verifier.log.witness import last_seen, proof_from, witness_head
from verifier.log.writer import append_entries, create_log, read_head

LOG = Signer("por.example.com/log", Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
OTHER = Signer("por.example.com/log", Ed25519PrivateKey.from_private_bytes(b"\x02" * 32))
WITNESS = Signer("witness.example.org/w", Ed25519PrivateKey.from_private_bytes(b"\x03" * 32))
SECOND = Signer("witness.example.net/v", Ed25519PrivateKey.from_private_bytes(b"\x04" * 32))


def entries(count: int, start: int = 0) -> list[bytes]:
    return [f"entry {number}".encode() for number in range(start, start + count)]


def node_of(leaves: list[bytes]):  # type: ignore[no-untyped-def]
    def node(level: int, index: int) -> bytes:
        if level == 0:
            return leaf_hash(leaves[index])
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node


def started(folder: Path, count: int = 0) -> Path:
    create_log(folder, LOG)
    append_entries(folder, entries(count), LOG)
    return folder


def head_of(folder: Path) -> Checkpoint:
    return trusted_checkpoint(read_head(folder), LOG.key(), "head")


def test_roots_and_proofs_are_those_of_an_independent_implementation() -> None:
    oracle = InmemoryTree(algorithm="sha256")
    leaves = entries(70)
    for size, leaf in enumerate(leaves, 1):
        oracle.append_entry(leaf)
        assert tree_root(node_of(leaves), size) == oracle.get_root(size)
        for index in (0, size // 2, size - 1):
            theirs = oracle.prove_inclusion(index + 1, size).path
            ours = inclusion_path(node_of(leaves), index, size)
            assert ours == [bytes(one) for one in theirs[1:]]
            assert root_of_inclusion(leaf_hash(leaves[index]), index, size, theirs[1:]) == oracle.get_root(size)
    for old in range(1, 70):
        verify_consistency(oracle.get_root(old), oracle.get_root(70), oracle.prove_consistency(old, 70))
        path = consistency_path(node_of(leaves), old, 70)
        assert is_consistent(old, oracle.get_root(old), 70, oracle.get_root(70), path)


@given(st.integers(1, 80), st.data())
def test_every_proof_holds_and_every_changed_one_is_refused(size: int, data: st.DataObject) -> None:
    leaves = entries(size)
    node, root = node_of(leaves), tree_root(node_of(leaves), size)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    path, proof = inclusion_path(node, index, size), consistency_path(node, old, size)
    old_root = tree_root(node, old)
    assert root_of_inclusion(leaf_hash(leaves[index]), index, size, path) == root
    assert is_consistent(old, old_root, size, root, proof)
    other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index)) if size > 1 else None
    assert other is None or root_of_inclusion(leaf_hash(leaves[index]), other, size, path) != root
    for hashes, holds in (
        (path, lambda changed: root_of_inclusion(leaf_hash(leaves[index]), index, size, changed) == root),
        (proof, lambda changed: is_consistent(old, old_root, size, root, changed)),
    ):
        assert not holds([*hashes, bytes(32)])
        if hashes:
            place = data.draw(st.integers(0, len(hashes) - 1))
            flipped = bytes([hashes[place][0] ^ 1]) + hashes[place][1:]
            assert not holds([*hashes[:place], flipped, *hashes[place + 1 :]])
            assert not holds(hashes[:-1])
    if 0 < old < size:
        assert not is_consistent(old, bytes(32), size, root, proof)
        assert not is_consistent(old, old_root, size, bytes(32), proof)


def test_a_note_signed_by_another_program_verifies() -> None:
    # The example of the Go module golang.org/x/mod/sumdb/note.
    key = parse_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    note = parse_note(
        b"If you think cryptography is the answer to your problem,\n"
        b"then you don't know what your problem is.\n\n"
        b"\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng"
        b"otpRZb6KE6RyyBwJnAM=\n",
        "note",
    )
    assert verified_by(note, [key]) == [key]
    with pytest.raises(InputError, match="does not fit"):
        verified_by(note._replace(text=note.text.replace("answer", "Answer")), [key])


@pytest.mark.parametrize(
    "content",
    [b"", b"text\n", b"text\n\n", b"text\n\nname AAAA\n", "text\n\n— a b AAAAAAAA\n".encode(), b"\xff\n\n",
     "text\n\n— a AAAA\n".encode(), "te\rxt\n\n— a AAAAAAAA\n".encode(), "text\n\n— a AAAAAAAA".encode()],
)  # fmt: skip
def test_what_is_no_note_is_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        parse_note(content, "note")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_note_or_an_input_error(content: bytes) -> None:
    for read in (
        lambda: parse_note(content, "x"),
        lambda: parse_proof(content, "x"),
        lambda: parse_policy(content, "x"),
    ):
        try:
            read()
        except InputError:
            continue


def test_tiles_have_the_names_and_widths_of_the_specification(tmp_path: Path) -> None:
    assert tile_name(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tile_name("entries", 5, 7) == "tile/entries/005.p/7"
    folder = started(tmp_path / "log", 70_000)
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and "tile/" in str(path)}
    full = {tile_name(level, n) for n in range(273) for level in (0, "entries")} | {tile_name(1, 0)}
    partial = {tile_name(0, 273, 112), tile_name("entries", 273, 112), tile_name(1, 1, 17), tile_name(2, 0, 1)}
    assert found == full | partial
    assert audit_log(folder, head_of(folder)).problems == ()
    proof = parse_proof(str(prove_entry(folder, 69_999)).encode(), "proof")
    policy = parse_policy(f"log {LOG.key()}\nquorum none\n".encode(), "policy")
    assert check_proof(proof, b"entry 69999", policy, "proof").quorum
    with pytest.raises(InputError, match="do not lead"):
        check_proof(proof, b"entry 69998", policy, "proof")


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=6))
def test_how_entries_come_changes_nothing(tmp_path_factory: pytest.TempPathFactory, parts: list[int]) -> None:
    folder = started(tmp_path_factory.mktemp("log") / "parts")
    done = 0
    for part in parts:
        before = head_of(folder)
        append_entries(folder, entries(part, done), LOG)
        done += part
        after = head_of(folder)
        path = consistency_path(TreeFiles(folder, after.size).node, before.size, after.size)
        assert is_consistent(before.size, before.root, after.size, after.root, path)
    assert head_of(folder) == Checkpoint(LOG.name, done, tree_root(node_of(entries(done)), done))
    assert audit_log(folder, head_of(folder)).problems == ()


class CrashError(Exception):
    """The machine stopped."""


@pytest.mark.parametrize("start", [0, 250, 300])
def test_a_crash_at_any_step_loses_nothing_that_was_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: int
) -> None:
    honest = writer.write_whole
    for steps in range(12):
        folder = started(tmp_path / f"log-{steps}", start)
        before, left = head_of(folder), [steps]

        def failing(path: Path, content: bytes, left: list[int] = left) -> None:
            if not left[0]:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.with_name(path.name + ".new").write_bytes(content[: len(content) // 2])
                raise CrashError
            left[0] -= 1
            honest(path, content)

        monkeypatch.setattr(writer, "write_whole", failing)
        try:
            append_entries(folder, entries(20, 1_000), LOG)
            crashed = False
        except CrashError:
            crashed = True
        monkeypatch.setattr(writer, "write_whole", honest)
        assert head_of(folder) == before or not crashed
        assert audit_log(folder, head_of(folder)).problems == ()
        append_entries(folder, entries(30, 2_000), LOG)
        assert audit_log(folder, head_of(folder)).problems == ()
        if not crashed:
            return
    raise AssertionError("an append takes fewer steps than were tried")


KILLED = """
import sys
from pathlib import Path
from tests.verifier.test_log import LOG
from verifier.log.writer import append_entries
number = 0
while True:
    note = append_entries(Path(sys.argv[1]), [f"killed {number} {part}".encode() for part in range(40)], LOG)
    number += 1
    print(note.text.split()[1], flush=True)
"""


def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    folder = started(tmp_path / "log")
    for pause in (0.05, 0.11, 0.23):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        acknowledged = int(process.stdout.readline())
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
        rest, _ = process.communicate()
        acknowledged = max([acknowledged, *(int(line) for line in rest.split("\n")[:-1])])
        assert head_of(folder).size >= acknowledged
        assert audit_log(folder, head_of(folder)).problems == ()


def test_two_writers_cannot_fork_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = started(tmp_path / "log", 5)
    honest = writer.write_whole
    refused: list[str] = []

    def meanwhile(path: Path, content: bytes) -> None:
        monkeypatch.setattr(writer, "write_whole", honest)
        with pytest.raises(InputError, match="somebody else") as caught:
            append_entries(folder, [b"another"], LOG)
        refused.append(str(caught.value))
        honest(path, content)

    monkeypatch.setattr(writer, "write_whole", meanwhile)
    append_entries(folder, [b"mine"], LOG)
    assert (len(refused), head_of(folder).size) == (1, 6)


def test_every_tampered_file_is_named(tmp_path: Path) -> None:
    folder = started(tmp_path / "log", 600)
    head = head_of(folder)
    files = [path for path in folder.rglob("*") if path.is_file() and "tile" in path.parts]
    assert len(files) == 7
    for path in files:
        content = path.read_bytes()
        for changed in (content[:-1] + bytes([content[-1] ^ 1]), content[:-1], b""):
            path.write_bytes(changed)
            problems = audit_log(folder, head).problems
            assert any(str(path.relative_to(folder)).split(".p/")[0] in problem for problem in problems), problems
        path.unlink()
        assert audit_log(folder, head).problems
        path.write_bytes(content)
    assert audit_log(folder, head).problems == ()
    (folder / "tile/1/000.p/2").write_bytes(bytes(64))
    with pytest.raises(InputError, match="nothing was appended"):
        append_entries(folder, [b"more"], LOG)


def test_a_log_of_another_key_is_not_appended_to(tmp_path: Path) -> None:
    folder = started(tmp_path / "log", 3)
    with pytest.raises(InputError, match="no signature of"):
        append_entries(folder, [b"x"], OTHER)
    with pytest.raises(InputError, match="holds a log already"):
        create_log(folder, LOG)
    with pytest.raises(InputError, match="at most"):
        append_entries(folder, [bytes(70_000)], LOG)


def test_a_witness_signs_what_continues_and_keeps_the_two_heads_of_a_fork(tmp_path: Path) -> None:
    folder, state = started(tmp_path / "log", 10), tmp_path / "state"

    def shown(place: Path):  # type: ignore[no-untyped-def]
        note = read_head(place)
        head = trusted_checkpoint(note, LOG.key(), "head")
        return witness_head(state, LOG.key(), note, proof_from(place, last_seen(state, LOG.key()), head), WITNESS, 5)

    first = shown(folder)
    assert first.signature is not None
    append_entries(folder, entries(300, 10), LOG)
    second = shown(folder)
    assert second.signature is not None
    seen = last_seen(state, LOG.key())
    assert seen is not None and seen.size == 310
    cosigned = Note(read_head(folder).text, (*read_head(folder).signatures, second.signature))
    assert verified_by(cosigned, [WITNESS.key(COSIGNATURE), LOG.key()]) == [LOG.key(), WITNESS.key(COSIGNATURE)]
    # The same log, shown differently to somebody else.
    other = started(tmp_path / "other")
    append_entries(other, [*entries(309), b"another"], LOG)
    forked = shown(other)
    assert forked.signature is None and forked.fork is not None and forked.fork.certain
    assert {path.name for path in forked.fork.evidence.iterdir()} == {"seen", "shown"}
    longer = append_entries(other, [b"more"], LOG)
    hidden = shown(other)
    assert (hidden.signature, hidden.fork is not None, longer.text.split()[1]) == (None, True, "311")
    short = started(tmp_path / "short", 4)
    assert "were seen before" in shown(short).reason
    assert last_seen(state, LOG.key()) == seen
    with pytest.raises(InputError, match="carries no signature"):
        witness_head(state, LOG.key(), sign_note(seen.text, [OTHER]), [], WITNESS, 5)


POLICY = f"""
# two organisations
log {LOG.key()} https://por.example.com/log
witness one {WITNESS.key(COSIGNATURE)}
witness two {SECOND.key(COSIGNATURE)}
group both all one two
quorum both
"""


def test_a_head_needs_the_quorum_of_its_policy(tmp_path: Path) -> None:
    folder = started(tmp_path / "log", 3)
    note, policy = read_head(folder), parse_policy(POLICY.encode(), "policy")
    one = Note(note.text, (*note.signatures, cosign(note, WITNESS, 1)))
    both = Note(note.text, (*one.signatures, cosign(note, SECOND, 2)))
    assert [judge_head(each, policy, "head").quorum for each in (note, one, both)] == [False, False, True]
    twice = Note(note.text, (*one.signatures, cosign(note, WITNESS, 2)))
    assert not judge_head(twice, policy, "head").quorum
    forged = Note(note.text, (*one.signatures, cosign(sign_note("x\n", []), SECOND, 2)))
    with pytest.raises(InputError, match="does not fit"):
        judge_head(forged, policy, "head")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("quorum three", "not defined above"),
        ("group some 3 one two\nquorum some", "no threshold"),
        ("group some 0 one two\nquorum some", "no threshold"),
        ("group some any one one\nquorum some", "counts once"),
        ("group a any one\ngroup b any one\nquorum b", "counts once"),
        ("witness one {log}\nquorum none", "taken"),
        ("witness three {log}\nquorum none", "expected 04"),
        ("witness three {one}\nquorum none", "listed twice"),
        ("log {log}\nquorum none", "listed twice"),
        ("group none any one\nquorum none", "taken"),
        ("nonsense", "expected log"),
        ("", "no quorum line"),
        ("quorum none\nquorum none", "expected log"),
    ],
)
def test_a_policy_that_is_none_is_refused_with_its_line(line: str, said: str) -> None:
    head = f"log {LOG.key()}\nwitness one {WITNESS.key(COSIGNATURE)}\nwitness two {SECOND.key(COSIGNATURE)}\n"
    text = head + line.format(log=LOG.key(), one=WITNESS.key(COSIGNATURE))
    with pytest.raises(InputError, match=said):
        parse_policy(text.encode(), "policy")


def test_two_people_who_exchange_heads_find_two_versions(tmp_path: Path) -> None:
    mine, theirs = started(tmp_path / "a", 300), started(tmp_path / "b")
    append_entries(theirs, [*entries(299), b"another"], LOG)
    assert compare_heads([("a", head_of(mine)), ("b", head_of(theirs))], None).verdict == "fail"
    early = head_of(mine)
    append_entries(mine, entries(5, 300), LOG)
    late = head_of(mine)
    assert compare_heads([("early", early), ("late", late)], None).verdict == "indeterminate"
    assert compare_heads([("early", early), ("late", late)], mine).verdict == "pass"
    assert compare_heads([("early", head_of(theirs)), ("late", late)], mine).verdict == "indeterminate"
    assert compare_heads([("a", early), ("again", early)], None).verdict == "pass"


def test_the_empty_log_has_the_empty_root(tmp_path: Path) -> None:
    head = head_of(started(tmp_path / "log"))
    assert (head.size, head.root) == (0, EMPTY_ROOT) == (0, hashlib.sha256().digest())
    assert base64.b64encode(EMPTY_ROOT).decode() in head.text
    assert read_checkpoint(parse_note(str(read_head(tmp_path / "log")).encode(), "x"), "x") == head
