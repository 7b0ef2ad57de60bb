"""Measure how fast a declaration's claims of control are judged, alone and by one process per core.

Run `python -m tests.bench.claims [claims]`, also with 100000. Every way must find the same, or the run fails.
"""

import sys
import time
from collections.abc import Callable, Sequence

import coincurve

from chains.evm.keccak import keccak256
from chains.ids import AccountId
from chains.signatures.messages import text_digest
from verifier.declaration import Declaration, DeclaredAsset, Exchange, OwnershipClaim, Pool, Wallet
from verifier.ownership import claims as ownership
from verifier.ownership.challenge import challenge_text
from verifier.ownership.claims import Control, Ownership, check_ownership

CHAIN, ASSET = "eip155:1", "eip155:1/slip44:60"


def key_of(number: int) -> tuple[coincurve.PrivateKey, AccountId]:
    key = coincurve.PrivateKey((number + 1).to_bytes(32))
    return key, AccountId(f"{CHAIN}:0x{keccak256(key.public_key.format(compressed=False)[1:])[12:].hex()}")


def declare(count: int) -> Declaration:
    """Return a declaration of so many wallets, each with a claim that is bound to it."""
    keys = [key_of(number) for number in range(count)]
    bare = Declaration(
        format="reserve-verifier/declaration/1",
        exchange=Exchange(name="Many Claims", id="claims.example"),
        as_of="2026-11-22T00:00:00Z",
        assets=[DeclaredAsset(asset=ASSET, symbol="ETH", decimals=18)],
        wallets=[Wallet(account=account, assets=[ASSET], pool=Pool.CLIENT_COLD) for _, account in keys],
    )
    return bare.model_copy(update={"ownership": [_claim(bare, key, account) for key, account in keys]})


def _claim(declaration: Declaration, key: coincurve.PrivateKey, account: AccountId) -> OwnershipClaim:
    text = challenge_text(declaration, account)
    raw = key.sign_recoverable(text_digest(text.encode()), hasher=None)
    return OwnershipClaim(
        account=account, scheme="eip-191", message=text, signature=f"0x{raw[:64].hex()}{27 + raw[64]:02x}"
    )


def timed(action: Callable[[], dict[AccountId, Ownership]]) -> tuple[float, dict[AccountId, Ownership]]:
    started = time.perf_counter()
    found = action()
    return time.perf_counter() - started, found


def bare_recovery(declaration: Declaration) -> float:
    """Return the seconds the curve arithmetic alone takes for as many signatures."""
    raw = bytes.fromhex(declaration.ownership[0].signature[2:])
    compact, digest = raw[:64] + bytes([raw[64] - 27]), text_digest(declaration.ownership[0].message.encode())
    started = time.perf_counter()
    for _ in declaration.ownership:
        coincurve.PublicKey.from_signature_and_message(compact, digest, hasher=None)
    return time.perf_counter() - started


def main(arguments: Sequence[str] = ()) -> None:
    count = int(arguments[0]) if arguments else 20_000
    declaration = declare(count)
    told: list[int] = []
    together, found = timed(lambda: check_ownership(declaration, progress=told.append))
    ownership.MANY = count + 1
    alone, same = timed(lambda: check_ownership(declaration))
    bare = bare_recovery(declaration)
    assert found == same, "two ways, two answers"
    assert {one.control for one in found.values()} == {Control.SIGNED}
    print(f"\n{count:,} claims of control (eip-191), each bound to its declaration")
    print(f"{'one process per core':<28}{together:>8.1f} s{count / together:>10,.0f}/s{bare / together:>8.2f} x")
    print(f"{'alone':<28}{alone:>8.1f} s{count / alone:>10,.0f}/s{bare / alone:>8.2f} x")
    print(f"{'recovering keys, no checks':<28}{bare:>8.1f} s{count / bare:>10,.0f}/s{1:>8.2f} x")
    print(f"progress was told {len(told)} times")


if __name__ == "__main__":
    main(sys.argv[1:])
