"""Signatures checked per second, scheme by scheme, beside the bare library call that does the curve arithmetic."""

import base64
import sys
import tempfile
import time
from pathlib import Path

import coincurve
import milagro_bls_binding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chains.signatures import verify
from chains.signatures.key_addresses import evm_address
from chains.signatures.stark_curve import has_signed
from tests.builders import wallet_lists as make
from tests.builders import wallet_messages
from tests.chains import bip322_signer
from tests.chains.bip127_proofs import Reserves
from tests.chains.bip322_signer import KINDS
from tests.chains.signature_cases import CASES, MESSAGE
from verifier.wallet_lists.report import check_wallet_lists

RUNS = 3
SHOWN = (
    "eip-191 eip155:1", "eip-191-hash eip155:1", "keccak eip155:1", "okx-keccak eip155:1", "tron-v1 tron:728126428",
    "tron-v2 tron:728126428", "okx-keccak fil:f", "okx-keccak cosmos:cosmoshub-4", "ed25519 aptos:1",
    "okx-ed25519 sui:mainnet", "okx-ed25519 tvm:-239",
)  # fmt: skip


def per_second(action, seconds: float = 0.3) -> float:
    """Return the best rate of several rounds: the machine's noise only ever adds."""
    best = 0.0
    for _ in range(RUNS):
        times, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            action()
            times += 1
        best = max(best, times / (time.perf_counter() - started))
    return best


def bare_recover(signature: str):
    raw = bytes.fromhex(signature[2:]) if signature.startswith("0x") else base64.b64decode(signature)[1:] + b"\0"
    compact, digest = raw[:64] + b"\0", bytes(range(32))
    return lambda: coincurve.PublicKey.from_signature_and_message(compact, digest, hasher=None)


def bare_edwards():
    key = Ed25519PublicKey.from_public_bytes(make.edwards_public(3))
    signature = make.sign_edwards(3, "ed25519", MESSAGE)
    return lambda: key.verify(signature, MESSAGE.encode())


def bare_of(case):
    if "ed25519" in case.scheme:
        return bare_edwards(), 1
    return bare_recover(case.signature), 1 + len(case.material.get("more_signatures", ()))


def bare_ecdsa():
    """Return one ECDSA check of a parsed key: the least that a signature before Taproot costs."""
    key, digest = make.key(7).public_key, bytes(range(32))
    signature = make.key(7).sign(digest, hasher=None)
    return lambda: key.verify(signature, digest, hasher=None)


def bare_schnorr():
    key, digest = coincurve.PublicKeyXOnly(make.key(7).public_key.format()[1:]), bytes(range(32))
    signature = make.key(7).sign_schnorr(digest)
    return lambda: key.verify(signature, digest)


def script_lines() -> list[str]:
    """Return a line per kind of BIP-322 signature, and one for the inputs of a BIP-127 proof."""
    lines = []
    for lock in KINDS:
        signature = bip322_signer.signed(lock)
        rate = per_second(lambda lock=lock, text=signature: verify("bip-322", lock.account, MESSAGE, text))
        bare = per_second(bare_schnorr() if "taproot" in lock.rules else bare_ecdsa())
        lines.append(f"{'bip-322 ' + lock.name:<44}{rate:>10,.0f}{bare:>11,.0f}{bare / rate:>7.2f}x")
    owner, inputs = KINDS[1], 500
    proof = Reserves([owner] * inputs).text()
    rate = inputs * per_second(lambda: verify("bip-127", owner.account, MESSAGE, proof))
    bare = per_second(bare_ecdsa())
    lines.append(
        f"{f'bip-127 inputs ({inputs} p2wpkh in one proof)':<44}{rate:>10,.0f}{bare:>11,.0f}{bare / rate:>7.2f}x"
    )
    return lines


def wallet_lines() -> list[str]:
    """Return a line per scheme of single wallets' families, beside the bare check of its kind of key."""
    lines = []
    claims = [
        wallet_messages.cardano(0), wallet_messages.solana(), wallet_messages.aptos("address"),
        wallet_messages.conflux(), wallet_messages.aelf(whole=False), wallet_messages.eos("eos"),
        wallet_messages.DECRED,
        wallet_messages.bls(), wallet_messages.starknet(),
    ]  # fmt: skip
    for claim in claims:
        rate = per_second(
            lambda claim=claim: verify(claim.scheme, claim.account, claim.message, claim.signature, **claim.material)
        )
        bare = per_second(bare_of_wallet(claim))
        lines.append(f"{claim.scheme:<44}{rate:>10,.0f}{bare:>11,.0f}{bare / rate:>7.2f}x")
    return lines


def bare_of_wallet(claim):
    """Return the least that a claim costs: one check of a key of its kind, by the library or by our own curve."""
    if claim.scheme in ("cip-8", "solana-offchain", "aptos-message"):
        return bare_edwards()
    if claim.scheme == "bls":
        key, raw, digest = bytes.fromhex(claim.account[-96:]), bytes.fromhex(claim.signature[2:]), bytes(32)
        return lambda: milagro_bls_binding.Verify(key, digest, raw)
    if claim.scheme == "starknet":
        point, r, s = (
            int(claim.material["public_key"], 16),
            int(claim.signature[:64], 16),
            int(claim.signature[64:], 16),
        )
        return lambda: has_signed(point, 1, r, s)
    return bare_recover(make.sign(1, "keccak", MESSAGE))


def list_of(rows: int) -> str:
    """Return a list of EVM wallets that all sign."""
    numbers = range(1_000, 1_000 + rows)
    signed = [
        make.okx_row(
            "ETH", "ETH", evm_address(make.key(n).public_key), "1", make.sign(n, "eip-191-hash", make.OKX_MESSAGE)
        )
        for n in numbers
    ]
    return make.okx_list(signed, {"ETH": str(rows)})


def main(rows: int = 20_000) -> None:
    shown = [case for case in CASES if case.name in SHOWN or case.scheme == "bitcoin-message"]
    lines = [f"\n{'signatures per second':<44}{'checked':>10}{'bare call':>11}{'ratio':>8}"]
    for case in shown:
        ours = per_second(lambda case=case: verify(case.scheme, case.account, MESSAGE, case.signature, **case.material))
        call, count = bare_of(case)
        bare = per_second(call) / count
        lines.append(f"{case.name:<44}{ours:>10,.0f}{bare:>11,.0f}{bare / ours:>7.2f}x")
    lines += wallet_lines() + script_lines()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "list.csv"
        path.write_text(list_of(rows), "utf-8")
        started = time.perf_counter()
        report = check_wallet_lists([path])
        seconds = time.perf_counter() - started
    assert report.exit_code == 0
    lines.append(f"whole list, {rows:,} wallets: {seconds:.2f} s, {rows / seconds:,.0f} rows/s")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
