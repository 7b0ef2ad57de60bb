"""Multi-signature scripts: m of n keys, and whether at least m different ones of them signed."""

from collections.abc import Iterable
from typing import NamedTuple

import coincurve

MAX_KEYS = 20
_CHECKMULTISIG = 0xAE


class Multisig(NamedTuple):
    """How many of which keys a script asks for; keys as the script writes them."""

    required: int
    keys: tuple[bytes, ...]


def parse_multisig(script: bytes) -> Multisig | str:
    """Return what an m-of-n script asks for, or the reason why it is none.

    Reasons: `not-a-multisig-script`; `empty-multisig` (it asks for no signature or for more than there are keys);
    `repeated-key` (the same key in two places, so that one signer can stand for two); `no-such-key`.
    Source: Bitcoin's standard script templates (OP_m, keys, OP_n, OP_CHECKMULTISIG).
    """
    if len(script) < 3 or script[-1] != _CHECKMULTISIG:
        return "not-a-multisig-script"
    keys: list[bytes] = []
    place = 1
    while place < len(script) - 2 and script[place] in (33, 65) and len(keys) < MAX_KEYS:
        keys.append(script[place + 1 : place + 1 + script[place]])
        place += 1 + script[place]
    required, count = script[0] - 0x50, script[-2] - 0x50
    if place != len(script) - 2 or not 0 <= count <= 16 or count != len(keys) or not -0x50 <= required <= 16:
        return "not-a-multisig-script"
    if not 1 <= required <= count:
        return "empty-multisig"
    try:
        points = {coincurve.PublicKey(key).format() for key in keys}
    except ValueError:  # coincurve's word for a point that is not on the curve
        return "no-such-key"
    return Multisig(required, tuple(keys)) if len(points) == count else "repeated-key"


def missing_signers(multisig: Multisig, signers: Iterable[bytes]) -> str:
    """Return `` when enough different keys of the script signed, else the reason.

    Reasons: `signer-differs` (a signature by a key that is not in the script), `too-few-signers` (the same signature
    twice, or two by one key, count as one). `signers` are keys as the script would write them.
    """
    found = set(signers)
    if found - set(multisig.keys):
        return "signer-differs"
    return "" if len(found) >= multisig.required else "too-few-signers"
