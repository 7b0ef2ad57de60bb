"""The rules of BIP-322 beyond consensus: which scripts an input runs, what they are held to, and what stays open."""

from hashlib import sha256
from typing import NamedTuple

from coincurve import PublicKeyXOnly

from chains.signatures.bip322.encodings import check_point, check_schnorr
from chains.signatures.bip322.operations import Stack
from chains.signatures.bip322.scripts import (
    is_minimal_push,
    is_true,
    key_hash,
    operations,
    script_hash,
    witness_program,
    wrapped_program,
)
from chains.signatures.bip322.trace import Check, Rules, Trace
from chains.signatures.bip322.transactions import Input, RefusedError, with_length
from chains.signatures.key_addresses import hash160

_ANNEX, _LEAF, _CONTROL_BYTES, _HASH_BYTES, _DEEPEST = 0x50, 0xC0, 33, 32, 128


class Inspection(NamedTuple):
    """What an input's scripts check, and the `doubts` that make its verdict wait for rules to come."""

    checks: tuple[Check, ...] = ()
    doubts: tuple[str, ...] = ()
    signatures: int = 0


def inspect(spent: Input, script: bytes) -> Inspection:
    """Hold one input to the required rules and collect the upgradeable ones it touches.

    It must be signed: what opens without any signature says nothing about a message. Whether signatures are good is not
    looked at. Raises RefusedError with the broken rule. Source: BIP-322, "Verification Process", steps 3 and 4.
    """
    program = witness_program(script)
    inner = wrapped_program(script, spent.script)
    if program is not None:
        if spent.script:
            raise RefusedError("script-sig-not-empty")
        found = _inspect_program(script, spent.witness, wrapped=False)
    elif inner is not None:
        found = _inspect_program(inner, spent.witness, wrapped=True)
    elif spent.witness:
        raise RefusedError("extra-witness" if script_hash(script) is None else "script-differs")
    else:
        found = _inspect_legacy(spent.script, script)
    if not found.signatures and not found.doubts:
        raise RefusedError("no-signature")
    return found


def _inspect_legacy(script_sig: bytes, script: bytes) -> Inspection:
    """Inspect P2PKH, P2SH and bare scripts."""
    pushed = list(operations(script_sig))
    if any(each.data is None for each in pushed):
        raise RefusedError("script-sig-not-push")
    if not all(map(is_minimal_push, pushed)):
        raise RefusedError("push-not-minimal")
    stack = [each.data or b"" for each in pushed]
    if not stack:
        raise RefusedError("not-signed")
    inner = script_hash(script)
    if inner is not None:
        script = stack.pop()
        if hash160(script) != inner:
            raise RefusedError("script-differs")
    elif key_hash(script) not in (None, hash160(stack[-1])):
        raise RefusedError("signer-differs")
    return _run(stack, script, Rules.LEGACY)


def _inspect_program(script: bytes, witness: tuple[bytes, ...], wrapped: bool) -> Inspection:
    version, program = witness_program(script) or (0, b"")
    if version == 0:
        return _inspect_version_0(program, witness)
    if version == 1 and len(program) == _HASH_BYTES and not wrapped:
        return _inspect_taproot(program, witness)
    return Inspection(doubts=("witness-version",))


def _inspect_version_0(program: bytes, witness: tuple[bytes, ...]) -> Inspection:
    """Inspect P2WPKH and P2WSH. Source: BIP-141, BIP-143."""
    if not witness:
        raise RefusedError("witness-missing")
    if len(program) == _HASH_BYTES:
        if sha256(witness[-1]).digest() != program:
            raise RefusedError("script-differs")
        return _run(list(witness[:-1]), witness[-1], Rules.SEGWIT)
    if len(witness) != 2:
        raise RefusedError("extra-witness" if len(witness) > 2 else "witness-missing")
    if hash160(witness[1]) != program:
        raise RefusedError("signer-differs")
    return _run(list(witness), b"\x76\xa9\x14" + program + b"\x88\xac", Rules.SEGWIT)


def _inspect_taproot(program: bytes, witness: tuple[bytes, ...]) -> Inspection:
    """Inspect P2TR by key and by script. Source: BIP-341, BIP-342."""
    if not witness:
        raise RefusedError("witness-missing")
    has_annex = len(witness) > 1 and witness[-1][:1] == bytes([_ANNEX])
    stack = list(witness[:-1] if has_annex else witness)
    doubts = ("annex",) if has_annex else ()
    if len(stack) == 1:
        check_point(program)
        check_schnorr(stack[0])
        return Inspection((), doubts, 1)
    control, script = stack.pop(), stack.pop()
    _check_leaf(program, control, script)
    if control[0] & 0xFE != _LEAF:
        return Inspection((), (*doubts, "leaf-version"))
    found = _run(stack, script, Rules.TAPROOT)
    return found._replace(doubts=(*doubts, *found.doubts))


def _check_leaf(program: bytes, control: bytes, script: bytes) -> None:
    """Check that a script is a leaf of the tree that the output commits to. Source: BIP-341, "Script validation"."""
    path, rest = divmod(len(control) - _CONTROL_BYTES, _HASH_BYTES)
    if rest or not 0 <= path <= _DEEPEST:
        raise RefusedError("malformed-control-block")
    node = _tagged("TapLeaf", bytes([control[0] & 0xFE]) + with_length(script))
    for start in range(_CONTROL_BYTES, len(control), _HASH_BYTES):
        sibling = control[start : start + _HASH_BYTES]
        node = _tagged("TapBranch", min(node, sibling) + max(node, sibling))
    internal = control[1:_CONTROL_BYTES]
    check_point(internal)
    output = PublicKeyXOnly(internal)
    output.tweak_add(_tagged("TapTweak", internal + node))
    if output.format() != program or int(output.parity) != control[0] & 1:
        raise RefusedError("script-differs")


def _run(stack: Stack, script: bytes, rules: Rules) -> Inspection:
    """Run a script and hold what remains to the rule of one true element."""
    trace = Trace(stack, rules)
    trace.run(script)
    if not trace.stack or not is_true(trace.stack[-1]):
        raise RefusedError("not-signed" if not trace.checks else "script-fails")
    if len(trace.stack) > 1:
        raise RefusedError("stack-not-clean")
    if trace.empty_multisig and not trace.checks:
        raise RefusedError("empty-multisig")
    return Inspection(tuple(trace.checks), tuple(trace.doubts), len(trace.checks))


def _tagged(tag: str, data: bytes) -> bytes:
    """Return a tagged hash. Source: BIP-340."""
    prefix = sha256(tag.encode()).digest()
    return sha256(prefix + prefix + data).digest()
