"""Make wallet lists in the exchanges' formats from keys of our own; run as a module it writes fixtures/wallets.

Every key is derived from a small number and holds nothing anywhere: the lists are public and always the same bytes.
"""

import base64
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import coincurve
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from chains.base_codecs import base58_check, bech32
from chains.evm.keccak import keccak256
from chains.ids import ChainId
from chains.signatures import messages
from chains.signatures.bitcoin_message import script_addresses
from chains.signatures.coins import coin_of
from chains.signatures.key_addresses import ed25519_addresses, evm_address, hash160, secp256k1_addresses

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "wallets"
BITCOIN = ChainId("bip122:000000000019d6689c085ae165831e93")
LITECOIN = ChainId("bip122:12a765e31ffd4059bada1e25190f6e98")
DOGECOIN = ChainId("bip122:1a91e3dace36e2be3bf030a65679fe82")
BITCOIN_CASH = ChainId("bip122:000000000000000000651ef99cb9fcbe")
TRON = ChainId("tron:728126428")
APTOS = ChainId("aptos:1")
SOLANA = ChainId("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp")
ALGORAND = ChainId("algorand:wGHE2Pwdvd7S12BL5FaOP20EGYesN73k")
DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "eip-191": messages.text_digest,
    "eip-191-hash": messages.hash_digest,
    "keccak": keccak256,
    "okx-keccak": messages.okx_digest,
    "tron-v1": messages.tron_hash_digest,
    "tron-v1-text": messages.tron_unhashed_digest,
    "tron-v2": messages.tron_text_digest,
}
OKX_MESSAGE, HTX_MESSAGE = "I am an example address", "example"
OKX_HEADER = (
    "coin,Network,Snapshot Height,address,amount,message,signature1,signature2,redeem script/ public key,eoa1,eoa2"
)
OKX_12_HEADER = OKX_HEADER.replace("coin,", "coin,Type,")
MERGED_HEADER = "digitalAsset,network,address,signedMessage,signedMessage2,message,publicKey,owner1,owner2"
HTX_SUMMARY, HTX_HEADER = "coin,snapshot height,balance", "coin,address,snapshot height,balance,message,signature"


# --- keys and signatures ---
def key(number: int) -> coincurve.PrivateKey:
    return coincurve.PrivateKey(sha256(f"wallet list builder, key {number}".encode()).digest())


def edwards_key(number: int) -> ECC.EccKey:
    return ECC.construct(curve="ed25519", seed=sha256(f"wallet list builder, edwards key {number}".encode()).digest())


def edwards_public(number: int) -> bytes:
    return edwards_key(number).public_key().export_key(format="raw")


def evm(number: int) -> str:
    return evm_address(key(number).public_key)


def address(chain: ChainId, number: int) -> str:
    """Return the address of a numbered key on a chain with one rule for it."""
    return min(secp256k1_addresses(chain, key(number).public_key))


def p2pkh(chain: ChainId, number: int) -> str:
    return base58_check(coin_of(chain).p2pkh[0] + hash160(key(number).public_key.format()))


def p2wpkh(chain: ChainId, number: int) -> str:
    return bech32(coin_of(chain).bech32, hash160(key(number).public_key.format()), 0)


def multisig(required: int, *numbers: int) -> str:
    keys = b"".join(b"\x21" + key(number).public_key.format() for number in numbers)
    return (bytes([0x50 + required]) + keys + bytes([0x50 + len(numbers), 0xAE])).hex()


def script_address(chain: ChainId, script: str, start: str) -> str:
    """Return the address of a script that starts with `start`: several kinds stand for one script."""
    return min(each for each in script_addresses(coin_of(chain), bytes.fromhex(script)) if each.startswith(start))


def sign(number: int, scheme: str, message: str, offset: int = 27) -> str:
    raw = key(number).sign_recoverable(DIGESTS[scheme](message.encode()), hasher=None)
    return "0x" + (raw[:64] + bytes([raw[64] + offset])).hex()


def sign_bitcoin(number: int, chain: ChainId, message: str, header: int = 31, magic: int = 0) -> str:
    digest = messages.bitcoin_digest(coin_of(chain).magics[magic], message.encode())
    raw = key(number).sign_recoverable(digest, hasher=None)
    return base64.b64encode(bytes([header + raw[64]]) + raw[:64]).decode()


def sign_edwards(number: int, scheme: str, message: str) -> bytes:
    text = message.encode() if scheme == "ed25519" else messages.okx_text(message.encode())
    return eddsa.new(edwards_key(number), "rfc8032").sign(text)


# --- OKX ---
def okx_row(
    asset, network, where, amount, signature="", second="", material="", owners=(), height=24_000_000, kind=None
):
    cells = [asset, *([kind] if kind is not None else []), network, height, where, amount, OKX_MESSAGE, signature]
    return ",".join(str(cell) for cell in [*cells, second, material, *owners])


def okx_rows(kind=None):
    """Return one signed row of every family: ETH 1.5 + 2, USDT 100, BTC 3 + 4 + 5, LTC, DOGE, APT."""
    script, trio = multisig(2, 11, 12, 13), OKX_MESSAGE
    return [
        okx_row("ETH", "ETH", evm(1), "1.5", sign(1, "eip-191-hash", trio), kind=kind),
        okx_row("ETH", "ARBITRUM", evm(2), "2", sign(2, "eip-191-hash", trio), kind=kind),
        okx_row("USDT", "TRON", address(TRON, 3), "100", sign(3, "tron-v2", trio), kind=kind),
        okx_row("BTC", "BTC", p2pkh(BITCOIN, 4), "3", sign_bitcoin(4, BITCOIN, trio), kind=kind),
        okx_row("BTC", "BTC", script_address(BITCOIN, script, "3"), "4", *two(BITCOIN), script, kind=kind),
        okx_row("BTC", "BTC", script_address(BITCOIN, script, "bc1"), "5", *two(BITCOIN), script, kind=kind),
        okx_row("LTC", "LTC", p2wpkh(LITECOIN, 5), "6", sign_bitcoin(5, LITECOIN, trio, 39), kind=kind),
        okx_row("DOGE", "DOGE", script_address(DOGECOIN, script, ""), "7", *two(DOGECOIN), script, kind=kind),
        okx_row("APT", "APTOS", aptos(6), "8", edwards(6), "", "0x" + edwards_public(6).hex(), kind=kind),
    ]


def two(chain: ChainId) -> tuple[str, str]:
    return sign_bitcoin(11, chain, OKX_MESSAGE), sign_bitcoin(13, chain, OKX_MESSAGE)


def aptos(number):
    return max(ed25519_addresses(APTOS, edwards_public(number)), key=len)


def edwards(number, scheme="okx-ed25519"):
    return "0x" + sign_edwards(number, scheme, OKX_MESSAGE).hex()


OKX_TOTALS = {"ETH": "3.5", "USDT": "100", "BTC": "12", "LTC": "6", "DOGE": "7", "APT": "8"}


def okx_list(rows=None, totals=None, header=OKX_HEADER):
    totals = OKX_TOTALS if totals is None else totals
    summary = ["coin,amount", *(f"{label},{amount}" for label, amount in totals.items()), ""] if totals else []
    return "\n".join([*summary, header, *(okx_rows() if rows is None else rows), ""])


def okx_12_list():
    rows = okx_rows(kind="Non Staking")
    rows[0] = rows[0].replace("Non Staking", "Native ETH Staking")
    return okx_list(rows, header=OKX_12_HEADER)


def merged_list():
    pairs = [row.split(",") for row in okx_rows()]
    rows = [[c[0], c[1], c[3], c[6], c[7] or "null", c[5], c[8] or "null", *c[9:11]] for c in pairs]
    return "\n".join([MERGED_HEADER, *(",".join(row) for row in rows), ""])


def self_asserted_list():
    """Return a list whose first wallet is signed for by two others, named by nothing but the list."""
    rows = okx_rows()
    signatures = (sign(21, "eip-191-hash", OKX_MESSAGE), sign(22, "eip-191-hash", OKX_MESSAGE))
    rows[0] = okx_row("ETH", "ETH", "0x" + "de" * 20, "1.5", *signatures, "", (evm(21), evm(22)))
    return okx_list(rows)


def one_signer_twice_list():
    """Return a list where one key of a 2-of-3 script signed, and its signature is given twice."""
    script, rows = multisig(2, 11, 12, 13), okx_rows()
    once = sign_bitcoin(11, BITCOIN, OKX_MESSAGE)
    rows[4] = okx_row("BTC", "BTC", script_address(BITCOIN, script, "3"), "4", once, once, script)
    return okx_list(rows)


# --- HTX ---
def htx_row(asset, where, balance="-", height="24133662", message="-", signature="-"):
    return f"{asset},{where},{'-' if balance == '-' else height},{balance},{message},{signature}"


def htx_signed(asset, where, balance, signature, height="24133662"):
    return htx_row(asset, where, balance, height, HTX_MESSAGE, signature)


def htx_rows(height="24133662", more="0"):
    contract = "0x" + "c0" * 20
    return [
        htx_signed("BTC", p2pkh(BITCOIN, 31), "12.5", sign_bitcoin(31, BITCOIN, HTX_MESSAGE), "930288"),
        htx_row("BTC", p2pkh(BITCOIN, 32), "0.5", "930288"),
        htx_signed("ETH", evm(33), f"100.{more}", sign(33, "keccak", HTX_MESSAGE, 0), height),
        htx_row("ETH", contract, "50", height),
        htx_signed("ETH", evm(34), "-", sign(34, "eip-191", HTX_MESSAGE)),
        htx_signed("ETH", evm(35), "-", sign(35, "eip-191", HTX_MESSAGE)),
        htx_signed("USDT-TRC20", address(TRON, 36), "70", sign(36, "tron-v1", HTX_MESSAGE, 0)[2:], "78844633"),
        htx_signed("TRX", address(TRON, 37), "9", sign(37, "tron-v1-text", HTX_MESSAGE), "78844633"),
        htx_signed("USDT-SOL", solana(38), "30", base64.b64encode(sign_edwards(38, "ed25519", HTX_MESSAGE)).decode()),
    ]


def solana(number):
    return min(ed25519_addresses(SOLANA, edwards_public(number)))


def algorand(number):
    return min(ed25519_addresses(ALGORAND, edwards_public(number)))


HTX_TOTALS = ("BTC(ALL),930288,13", "ETH(ALL),24133662,150", "USDT(ALL),-,100", "USDT-TRC20,-,70", "USDT-SOL,-,30")


def htx_list(rows=None, totals=HTX_TOTALS):
    rows = htx_rows() if rows is None else rows
    return "\ufeff" + "\n".join([HTX_SUMMARY, *totals, "TRX(ALL),78844633,9", "", HTX_HEADER, *rows, ""])


# --- BitMEX ---
def bitmex_list(style="block", totals=None, script=None, custodial=True):
    """Return a reserve file: a 2-of-3 script in each of three kinds of address, two founders' keys and a third one."""
    script = script or multisig(2, 41, 42, 43)
    kinds = {"sh": "3", "sh_wsh": "3", "wsh": "bc1"}
    found = script_addresses(coin_of(BITCOIN), bytes.fromhex(script))
    nested = base58_check(b"\x05" + hash160(b"\x00\x20" + sha256(bytes.fromhex(script)).digest()))
    addresses = {kind: min(a for a in found if a.startswith(start) and a != nested) for kind, start in kinds.items()}
    addresses["sh_wsh"] = nested
    entries = [
        {"addr": where, "addr_type": kind, "balance": 100_000 * place, "script": f"'{script}'"}
        for place, (kind, where) in enumerate(addresses.items(), 1)
    ]
    lines = ["address:", *(line for entry in entries for line in _yaml_item(entry, style)), "chain: main", "claim:"]
    lines += ["  m: 2", "  n: 3", "height: 930000", "keys:"]
    lines += [f"- {key(number).public_key.format(compressed=False).hex()}" for number in (41, 42)]
    if custodial:
        lines += ["custodial:", f"- addr: {p2pkh(BITCOIN, 45)}", "  balance: 50000"]
    total = totals if totals is not None else 600_000 + (50_000 if custodial else 0)
    return "\n".join([*lines, f"total: {total}", ""])


def _yaml_item(entry, style):
    if style == "flow":
        body = ", ".join(f"{name}: {value}" for name, value in entry.items()).replace(", script", ",\n    script")
        return [f"- {{{body}}}"]
    return [f"{'- ' if place == 0 else '  '}{name}: {value}" for place, (name, value) in enumerate(entry.items())]


# --- the public fixtures ---
def cases():
    """Return name, why, file name, content and what must come out, one per folder of fixtures/wallets."""
    ok = {"exit_code": 0, "verdict": "nothing-refused", "refused": 0}
    bad = {"exit_code": 1, "verdict": "refused"}
    htx_counts = {"rows": 9, "signed": 7, "verified": 7, "unsigned": 2}
    wrong = okx_rows()
    wrong[0] = okx_row("ETH", "ETH", evm(1), "1.5", sign(2, "eip-191-hash", OKX_MESSAGE))
    return [
        ("okx-11-columns", "Every family of OKX's list, all signed by the wallets' own keys.", "list.csv", okx_list(),
         {**ok, "rows": 9, "verified": 9, "findings": ["static-message", "undated-message"]}),
        ("okx-12-columns", "The same with a column for the kind of staking.", "list.csv", okx_12_list(),
         {**ok, "rows": 9, "verified": 9}),
        ("okx-merged", "The auditor's merged columns: no amounts, so no totals either.", "list.csv", merged_list(),
         {**ok, "rows": 9, "verified": 9, "findings": ["no-totals"]}),
        ("okx-self-asserted-owners", "Two keys sign for a wallet that nothing but the list ties to them.", "list.csv",
         self_asserted_list(), {**ok, "rows": 9, "verified": 8, "unbound": 1, "findings": ["owner-self-asserted"]}),
        ("okx-one-signer-twice", "2 of 3 keys must sign; the same signature twice is one.", "list.csv",
         one_signer_twice_list(), {**bad, "rows": 9, "verified": 8, "refused": 1, "findings": ["refused"]}),
        ("okx-another-key", "A signature by the key of another wallet.", "list.csv", okx_list(wrong),
         {**bad, "rows": 9, "verified": 8, "refused": 1, "findings": ["refused"]}),
        ("htx", "HTX's five envelopes, a contract wallet followed by its owners, unsigned rows.", "list.csv",
         htx_list(), {**ok, **htx_counts, "findings": ["owner-by-position", "unsigned-rows", "unsigned-amount"]}),
        ("htx-wrong-total", "The summary declares 20 BTC more than the rows hold.", "list.csv",
         htx_list(totals=("BTC(ALL),930288,33", *HTX_TOTALS[1:])),
         {**bad, **htx_counts, "refused": 0, "findings": ["total-differs"]}),
        ("bitmex", "Scripts that hold the founders' keys, a custodial address, and nobody's signature.", "list.yaml",
         bitmex_list(), {**ok, "rows": 4, "signed": 0, "unsigned": 4, "findings": ["no-signatures", "custodial"]}),
        ("bitmex-missing-founder", "One founder's key is not in the scripts.", "list.yaml",
         bitmex_list(script=multisig(2, 41, 44, 43)), {**bad, "rows": 4, "refused": 3, "findings": ["refused"]}),
    ]  # fmt: skip


def main(folder: Path = FIXTURES) -> None:
    for name, why, file_name, content, expected in cases():
        case = folder / name
        case.mkdir(parents=True, exist_ok=True)
        (case / file_name).write_bytes(content.encode())
        (case / "expected.json").write_text(json.dumps(expected, indent=2) + "\n", "utf-8")
        (case / "README.md").write_text(
            f"# {name}\n\n{why}\n\nMade by `python -m tests.builders.wallet_lists`.\n", "utf-8"
        )


if __name__ == "__main__":
    main()
