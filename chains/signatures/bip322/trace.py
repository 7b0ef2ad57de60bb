"""Follow a script as if every signature it is given were good, and hold it to the rules no engine here enforces.

The rules say that a failed signature check must have been given nothing (NULLFAIL). So whether a check succeeds shows
before any curve arithmetic: it was given a signature, or it was not. The engine then says whether they are good.
"""

from enum import Enum
from typing import NamedTuple

from chains.signatures.bip322.encodings import check_ecdsa, check_key, check_schnorr
from chains.signatures.bip322.operations import AND_VERIFY, Stack, apply, take, truth
from chains.signatures.bip322.scripts import (
    CODE_SEPARATOR,
    Operation,
    decode_number,
    encode_number,
    is_minimal_push,
    is_true,
    operations,
    succeeds_whatever_follows,
)
from chains.signatures.bip322.transactions import RefusedError

MAX_STACK = 1_000
MAX_KEYS = 20
_IF, _NOTIF, _ELSE, _ENDIF, _VERIFY = 0x63, 0x64, 0x67, 0x68, 0x69
_CHECKSIG, _CHECKMULTISIG, _CHECKSIGADD = 0xAC, 0xAE, 0xBA
_RESERVED_NOPS = (0xB0, *range(0xB3, 0xBA))


class Rules(Enum):
    """Which generation of rules a script runs under."""

    LEGACY = "legacy"
    SEGWIT = "segwit"
    TAPROOT = "taproot"


class Check(NamedTuple):
    """Signatures given to one check of a script. When `decides`, the whole script fails if they are not good."""

    signatures: tuple[bytes, ...]
    keys: tuple[bytes, ...]
    script: bytes
    rules: Rules
    decides: bool


class Trace:
    """A script's stack and what was met on the way: checks of signatures, and `doubts` that only later rules settle."""

    def __init__(self, stack: Stack, rules: Rules) -> None:
        self.stack, self.beside, self.rules = stack, Stack(), rules
        self.checks: list[Check] = []
        self.doubts: list[str] = []
        self.empty_multisig = False
        self._pushed: set[bytes] = set()

    def run(self, script: bytes) -> None:
        """Run a script to its end. Raises RefusedError with the rule that is broken."""
        if self.rules is Rules.TAPROOT and self._succeeds_whatever_follows(script):
            self.doubts.append("op-success")
            self.stack = [truth(True)]
            return
        steps = list(operations(script))
        if any(step.code == CODE_SEPARATOR for step in steps):
            raise RefusedError("code-separator")
        self._pushed = {step.data for step in steps if step.data is not None}
        branches: list[bool] = []
        skipping = 0
        for place, step in enumerate(steps):
            if step.code in (_IF, _NOTIF, _ELSE, _ENDIF):
                skipping += self._branch(step.code, branches, skipping)
            elif not skipping:
                self._step(step, script, place == len(steps) - 1)
            if len(self.stack) + len(self.beside) > MAX_STACK:
                raise RefusedError("script-fails")
        if branches:
            raise RefusedError("script-fails")

    def _succeeds_whatever_follows(self, script: bytes) -> bool:
        return any(step.data is None and succeeds_whatever_follows(step.code) for step in operations(script))

    def _branch(self, code: int, branches: list[bool], skipping: int) -> int:
        """Open, turn or close a branch; return by how much the number of branches not taken changes."""
        if code in (_IF, _NOTIF):
            taken = True
            if not skipping:
                (condition,) = take(self.stack, 1)
                if condition not in (b"", b"\x01"):
                    raise RefusedError("if-not-minimal")
                taken = is_true(condition) == (code == _IF)
            branches.append(taken)
            return 0 if taken else 1
        if not branches:
            raise RefusedError("script-fails")
        if code == _ENDIF:
            return 0 if branches.pop() else -1
        branches[-1] = not branches[-1]
        return -1 if branches[-1] else 1

    def _step(self, step: Operation, script: bytes, is_last: bool) -> None:
        if step.data is not None:
            if not is_minimal_push(step):
                raise RefusedError("push-not-minimal")
            self.stack.append(step.data)
            return
        code = AND_VERIFY.get(step.code, step.code)
        verifies = step.code in AND_VERIFY
        if code == _CHECKSIG:
            self._check_one(script, is_last or verifies)
        elif code == _CHECKMULTISIG and self.rules is not Rules.TAPROOT:
            self._check_many(script, is_last or verifies)
        elif code == _CHECKSIGADD and self.rules is Rules.TAPROOT:
            self._check_and_add()
        elif code in _RESERVED_NOPS:
            self.doubts.append("reserved-nop")
        elif code != _VERIFY:
            apply(code, self.stack, self.beside)
        if (verifies or code == _VERIFY) and not is_true(take(self.stack, 1)[0]):
            raise RefusedError("not-signed" if code in (_CHECKSIG, _CHECKMULTISIG) else "script-fails")

    def _check_one(self, script: bytes, decides: bool) -> None:
        signature, key = take(self.stack, 2)
        self.stack.append(truth(self._is_given(signature, key, script, decides)))

    def _check_and_add(self) -> None:
        signature, number, key = take(self.stack, 3)
        given = self._is_given(signature, key, b"", True)
        self.stack.append(encode_number(decode_number(number) + given))

    def _is_given(self, signature: bytes, key: bytes, script: bytes, decides: bool) -> bool:
        if self.rules is Rules.TAPROOT:
            if not key:
                raise RefusedError("malformed-key")
            if len(key) != 32:
                self.doubts.append("key-type")
                return bool(signature)
            if signature:
                check_schnorr(signature)
            decides = True  # a script of Taproot fails with any signature that is given and not good (BIP-342)
        else:
            check_key(key)
            self._check_form(signature)
        if signature:
            self.checks.append(Check((signature,), (key,), script, self.rules, decides))
        return bool(signature)

    def _check_many(self, script: bytes, decides: bool) -> None:
        keys = self._take_counted(MAX_KEYS)
        signatures = self._take_counted(len(keys))
        (extra,) = take(self.stack, 1)
        if extra:
            raise RefusedError("extra-not-empty")
        for key in keys:
            check_key(key)
        for signature in signatures:
            self._check_form(signature)
        given = [signature for signature in signatures if signature]
        if len(set(given)) < len(given):
            raise RefusedError("repeated-signature")
        if given and len(given) < len(signatures):
            raise RefusedError("null-fail")
        if given:
            self.checks.append(Check(tuple(given), tuple(keys), script, self.rules, decides))
        self.empty_multisig |= not signatures
        self.stack.append(truth(len(given) == len(signatures)))

    def _take_counted(self, most: int) -> Stack:
        count = decode_number(take(self.stack, 1)[0])
        if count > most:
            raise RefusedError("script-fails")
        return take(self.stack, count)

    def _check_form(self, signature: bytes) -> None:
        if self.rules is Rules.LEGACY and signature in self._pushed:
            raise RefusedError("signature-in-script")  # the oldest rules would cut it out of what is signed
        if signature:
            check_ecdsa(signature)
