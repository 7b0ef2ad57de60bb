"""One valid claim per signature scheme and kind of address, made by keys of our own."""

from typing import Any, NamedTuple

from chains.ids import ChainId
from chains.signatures.key_addresses import address_facts, ed25519_addresses, secp256k1_addresses
from chains.signatures.recovered_account import escape
from tests.builders import wallet_lists as make

MESSAGE = "Example Exchange controls this wallet on 2026-11-22T00:00:00Z"
SCRIPT = make.multisig(2, 11, 12, 13)


class Case(NamedTuple):
    name: str
    scheme: str
    account: str
    signature: str
    material: dict[str, Any]


def recovered(scheme: str, chain: str, address: str, number: int = 1) -> Case:
    name = f"{scheme} {chain}"
    return Case(name, scheme, f"{chain}:{escape(address)}", make.sign(number, scheme, MESSAGE), {})


def bitcoin(chain: ChainId, address: str, header: int = 31) -> Case:
    signature = make.sign_bitcoin(7, chain, MESSAGE, header)
    return Case(f"bitcoin-message {address[:8]}", "bitcoin-message", f"{chain}:{escape(address)}", signature, {})


def multisig(chain: ChainId, start: str) -> Case:
    address = make.script_address(chain, SCRIPT, start)
    more = {"script": SCRIPT, "more_signatures": (make.sign_bitcoin(13, chain, MESSAGE),)}
    signature = make.sign_bitcoin(11, chain, MESSAGE)
    return Case(f"multisig {address[:8]}", "bitcoin-message", f"{chain}:{escape(address)}", signature, more)


def edwards(chain: ChainId) -> list[Case]:
    address = min(ed25519_addresses(chain, make.edwards_public(3)))
    return [
        Case(
            f"{scheme} {chain}",
            scheme,
            f"{chain}:{escape(address)}",
            "0x" + make.sign_edwards(3, scheme, MESSAGE).hex(),
            {"public_key": make.edwards_public(3).hex()},
        )
        for scheme in ("ed25519", "okx-ed25519")
    ]


def with_rule(curve: str) -> list[ChainId]:
    return [chain for chain, facts in address_facts().items() if facts.curve == curve and facts.rule != "none"]


CASES = [
    *(recovered(scheme, "eip155:1", make.evm(1)) for scheme in ("eip-191", "eip-191-hash", "keccak", "okx-keccak")),
    *(recovered(f"tron-{form}", make.TRON, make.address(make.TRON, 1)) for form in ("v1", "v1-text", "v2")),
    *(
        recovered("okx-keccak", chain, min(secp256k1_addresses(chain, make.key(1).public_key)))
        for chain in with_rule("secp256k1")
        if not chain.startswith("tron:")
    ),
    recovered("okx-keccak", make.BITCOIN, make.p2pkh(make.BITCOIN, 1)),
    *(bitcoin(chain, make.p2pkh(chain, 7)) for chain in (make.BITCOIN, make.LITECOIN, make.DOGECOIN)),
    *(bitcoin(chain, make.p2wpkh(chain, 7), 39) for chain in (make.BITCOIN, make.LITECOIN)),
    *(multisig(chain, start) for chain, start in ((make.BITCOIN, "3"), (make.BITCOIN, "bc1"), (make.DOGECOIN, ""))),
    multisig(make.BITCOIN_CASH, "bitcoincash:p"),
    *(case for chain in with_rule("ed25519") for case in edwards(chain)),
]
