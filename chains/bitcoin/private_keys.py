"""Recognise private keys, so that a secret pasted by mistake is refused and never repeated in a message."""

import re

from chains.errors import IdentifierError

# whole words, not runs of Base58: a Bech32 address holds 0 and l, and what lies between may look like a key
_WORD = re.compile(r"[0-9A-Za-z]+")
_EXTENDED = re.compile(r"[A-Za-z]prv|L[tT]pv|M[tT]pv|ttpv")  # SLIP-132 and BIP-32: xprv, yprv, zprv, tprv … Ltpv, Mtpv
_WIF_LENGTHS = (51, 52)
_WIF_STARTS = ("5", "K", "L", "9", "c", "6", "T")  # Bitcoin and Litecoin, main and test networks


def refuse_private_keys(text: str) -> None:
    """Raise IdentifierError when `text` holds something that looks like a private key, whole or damaged.

    Covers extended private keys (BIP-32, SLIP-132) and single keys in wallet import format. The message does not
    repeat the text.
    """
    for word in _WORD.findall(text):
        extended = len(word) > 90 and _EXTENDED.match(word)
        single = len(word) in _WIF_LENGTHS and word.startswith(_WIF_STARTS) and not _is_hexadecimal(word)
        if extended or single:
            kind = "an extended private key" if extended else "a private key"
            raise IdentifierError(
                f"this holds {kind} ({word[:4]}…, {len(word)} characters). It can spend the coins: treat it as "
                "disclosed, move the coins, and declare the public key (xpub …) instead. Nothing was read or kept"
            )


def _is_hexadecimal(word: str) -> bool:
    return all(character in "0123456789abcdef" for character in word.lower())
