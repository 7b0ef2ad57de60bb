"""Whom a reader trusts: logs, witnesses, and how many of them must have seen a head. Source: C2SP tlog-policy."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from verifier.errors import InputError
from verifier.log.checkpoint import Checkpoint, trusted_checkpoint
from verifier.log.note import COSIGNATURE, ED25519, Note, VerifierKey, parse_key, verified_by

MAX_LINES = 10_000
NONE = "none"
_SPACE = re.compile(r"[ \t]+")


class Group(NamedTuple):
    """At least `least` of the members, each a witness or another group."""

    least: int
    members: tuple[str, ...]


class Policy(NamedTuple):
    """Known logs and witnesses, groups of witnesses, and the name that must have seen a head."""

    logs: tuple[VerifierKey, ...]
    witnesses: dict[str, VerifierKey]
    groups: dict[str, Group]
    quorum: str

    def is_met(self, cosigners: Collection[VerifierKey]) -> bool:
        """Tell whether enough witnesses are among those who cosigned."""
        return self.quorum == NONE or self._seen(self.quorum, cosigners)

    def _seen(self, name: str, cosigners: Collection[VerifierKey]) -> bool:
        if name in self.witnesses:
            return self.witnesses[name] in cosigners
        group = self.groups[name]
        return sum(self._seen(member, cosigners) for member in group.members) >= group.least


class Accepted(NamedTuple):
    """A head that a known log signed; `cosigned` by which witnesses, and whether they are enough."""

    checkpoint: Checkpoint
    log: VerifierKey
    cosigned: tuple[str, ...]
    quorum: bool


def parse_policy(content: bytes, where: str) -> Policy:
    """Read a policy file. Raises InputError naming the line."""
    lines = content.decode("latin-1").split("\n")
    if len(lines) > MAX_LINES:
        raise InputError(f"{where}: more than {MAX_LINES:,} lines")
    draft = _Draft()
    for number, line in enumerate(lines, 1):
        words = _SPACE.split(line.strip(" \t"))
        if not words[0] or words[0].startswith("#"):
            continue
        try:
            draft.take(words)
        except InputError as error:
            raise InputError(f"{where}: line {number}: {error}") from error
    if not draft.quorum:
        raise InputError(f"{where}: has no quorum line; `quorum none` asks for no witness")
    return Policy(tuple(draft.logs), draft.witnesses, draft.groups, draft.quorum)


class _Draft:
    """A policy as far as its lines were read."""

    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: dict[str, VerifierKey] = {}
        self.groups: dict[str, Group] = {}
        self.quorum = ""
        self._members: set[str] = set()

    def take(self, words: list[str]) -> None:
        """Add one line. Raises InputError when it is none, or speaks of names that are not defined above it."""
        match words:
            case ["log", key, *rest] if len(rest) < 2:
                self.logs.append(_new_key(parse_key(key), ED25519, self.logs))
            case ["witness", name, key, *rest] if len(rest) < 2:
                self._claim(name)
                self.witnesses[name] = _new_key(parse_key(key), COSIGNATURE, list(self.witnesses.values()))
            case ["group", name, least, *members] if members:
                self._claim(name)
                self.groups[name] = self._group(least, members)
            case ["quorum", name] if not self.quorum:
                self._defined(name, none=True)
                self.quorum = name
            case _:
                raise InputError("expected log, witness, group or (once) quorum")

    def _claim(self, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise InputError(f"the name {name!r} is taken")

    def _defined(self, name: str, none: bool = False) -> None:
        if name not in self.witnesses and name not in self.groups and not (none and name == NONE):
            raise InputError(f"{name!r} is not defined above")

    def _group(self, least: str, members: list[str]) -> Group:
        for member in members:
            self._defined(member)
            if member in self._members or members.count(member) > 1:
                raise InputError(f"{member!r} is a member already: a witness counts once")
        number = int(least) if least.isascii() and least.isdigit() and len(least) < 5 else 0
        count = {"all": len(members), "any": 1}.get(least, number)
        if not 1 <= count <= len(members):
            raise InputError(f"{least!r} of {len(members)} members is no threshold")
        self._members.update(members)
        return Group(count, tuple(members))


def judge_head(note: Note, policy: Policy, where: str) -> Accepted:
    """Return what a head says and who has seen it. Raises InputError when no known log signed it."""
    for log in policy.logs:
        if verified_by(note, [log]):
            checkpoint = trusted_checkpoint(note, log, where)
            cosigners = verified_by(note, list(policy.witnesses.values()))
            names = tuple(name for name, key in policy.witnesses.items() if key in cosigners)
            return Accepted(checkpoint, log, names, policy.is_met(cosigners))
    raise InputError(f"{where}: carries no signature of a log that the policy names")


def _new_key(key: VerifierKey, kind: int, known: Sequence[VerifierKey]) -> VerifierKey:
    if key.kind != kind:
        raise InputError(f"{key.name}: a key of kind {key.kind:02x}; expected {kind:02x}")
    if any(other.public == key.public for other in known):
        raise InputError(f"{key.name}: the same key is listed twice")
    return key
