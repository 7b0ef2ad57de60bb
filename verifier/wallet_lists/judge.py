"""Judge one row: which schemes its network uses, whether a signature holds, and whether it is the wallet's own."""

import re
from collections import Counter, OrderedDict
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple

from chains.errors import ChainError, MissingExtraError
from chains.ids import AccountId, ChainId, account_id, chain_of, family_of
from chains.signatures import UNBOUND, OwnershipResult, verify
from chains.signatures.coins import is_coin
from chains.signatures.decred import CHAIN as DECRED
from chains.signatures.key_addresses import address_facts
from chains.signatures.recovered_account import escape
from verifier.wallet_lists.networks import BEACON, network_of_row
from verifier.wallet_lists.record import Claim, Row

EVM_SCHEMES = ("eip-191-hash", "eip-191", "keccak", "okx-keccak")
TRON_SCHEMES = ("tron-v2", "tron-v1", "tron-v1-text")
ED25519_SCHEMES = ("okx-ed25519", "ed25519")
EOS_SCHEMES = ("okx-eos", "eos")
FAMILY_SCHEMES = {
    "eip155": EVM_SCHEMES,
    "tron": TRON_SCHEMES,
    "antelope": EOS_SCHEMES,
    "starknet": ("starknet",),
    "beacon": ("bls",),
}
ETHEREUM = ChainId("eip155:1")
CACHED_CLAIMS = 100_000
# The column for a redeem script may name the one public key instead; the signature gives that key away anyway.
_PUBLIC_KEY = re.compile(r"(?:0x)?(?:0[23][0-9a-fA-F]{64}|04[0-9a-fA-F]{128})")
_TELLING = (UNBOUND, "public-key-differs", "weak-key", "high-s", "non-canonical")


class Status(StrEnum):
    """What a row's proof came to."""

    VERIFIED = "verified"  # the wallet's own key signed
    REFUSED = "refused"  # the signature is wrong, or it is not the wallet's
    UNBOUND = "unbound"  # some key signed, and only the list says that it controls the wallet
    UNSIGNED = "unsigned"
    UNCHECKED = "unchecked"  # signed in a way that cannot be checked here


class Outcome(NamedTuple):
    """A row's status with the scheme that settled it and the reason in a word or two."""

    status: Status
    scheme: str = ""
    reason: str = ""


class Judge:
    """Judges rows of one list; remembers which schemes it uses, and the same claim for the same wallet only once."""

    def __init__(self) -> None:
        self._successes: Counter[str] = Counter()
        self._known: OrderedDict[bytes, Outcome] = OrderedDict()
        self.checked = 0

    def judge(self, row: Row) -> Outcome:
        """Return what a row's proof comes to; a malformed address or signature is refused with its reason."""
        if row.fault:
            return Outcome(Status.REFUSED, "", row.fault)
        if row.claim is None:
            return Outcome(Status.UNSIGNED)
        network, _ = network_of_row(row.network, row.asset, row.address)
        if network is None:
            return Outcome(Status.UNCHECKED, "", "unknown-network")
        key = _identity(network.chain, row.address, row.claim)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._judge(network.chain, row.address, row.claim)
            if len(self._known) > CACHED_CLAIMS:
                self._known.popitem(last=False)
        return known

    def _judge(self, chain: ChainId, address: str, claim: Claim) -> Outcome:
        # 1. Signatures of the keys that are said to own the wallet; a validator's owners are accounts of Ethereum
        owners = [owner for owner in claim.owners if owner.lower() != address.lower()]
        if owners:
            return self._owners(ETHEREUM if chain == BEACON else chain, owners, claim)
        # 2. The wallet's own signatures
        return self._own(chain, address, claim.message, claim.signatures, claim.material)

    def _owners(self, chain: ChainId, owners: list[str], claim: Claim) -> Outcome:
        """Check each owner's signature; at best the wallet stays unbound: the list alone ties it to its owners."""
        if len(claim.signatures) < len(owners):
            return Outcome(Status.REFUSED, "", "owner-without-signature")
        scheme = ""
        for owner, signature in zip(owners, claim.signatures, strict=False):
            found = self._own(chain, owner, claim.message, (signature,), claim.material)
            if found.status is not Status.VERIFIED:
                return found
            scheme = found.scheme
        return Outcome(Status.UNBOUND, scheme, "owner-self-asserted")

    def _own(self, chain: ChainId, address: str, message: str, signatures: tuple[str, ...], material: str) -> Outcome:
        schemes = _schemes(chain, signatures[0])
        if not schemes:
            return Outcome(Status.UNCHECKED, "", "unknown-scheme")
        try:
            account = account_id(f"{chain}:{escape(_plain(chain, address))}")
            results = []
            for scheme in sorted(schemes, key=lambda name: -self._successes[name]):
                self.checked += 1
                result = _verify(scheme, account, message, signatures, material)
                if result.valid:
                    self._successes[scheme] += 1
                    return Outcome(Status.VERIFIED, scheme, result.reason)
                results.append(result)
        except MissingExtraError as error:
            return Outcome(Status.UNCHECKED, "", str(error))
        except ChainError:
            return Outcome(Status.REFUSED, "", "malformed-address")
        return _refusal(results)


def _identity(chain: ChainId, address: str, claim: Claim) -> bytes:
    """Return 32 bytes that are the same for the same claim for the same wallet only."""
    parts = (
        chain,
        address,
        claim.message,
        claim.material,
        str(len(claim.signatures)),
        *claim.signatures,
        *claim.owners,
    )
    return sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).digest()


def _refusal(results: list[OwnershipResult]) -> Outcome:
    """Return the most telling of several failures: a key that signed and is not bound, then any that is no mismatch."""
    for reason in _TELLING:
        for result in results:
            if result.reason == reason:
                status = Status.UNBOUND if reason == UNBOUND else Status.REFUSED
                return Outcome(status, result.scheme, reason)
    return Outcome(Status.REFUSED, results[0].scheme, results[0].reason)


def _schemes(chain: ChainId, signature: str) -> tuple[str, ...]:
    if family_of(chain) in FAMILY_SCHEMES:
        return FAMILY_SCHEMES[family_of(chain)]
    if chain == DECRED and not signature.startswith("0x"):
        return ("decred-message",)
    if is_coin(chain):
        return ("okx-keccak",) if signature.startswith("0x") else ("bitcoin-message",)
    facts = address_facts().get(chain)
    if facts is None:
        return ()
    return ED25519_SCHEMES if facts.curve == "ed25519" else ("okx-keccak",)


def _verify(
    scheme: str, account: AccountId, message: str, signatures: tuple[str, ...], material: str
) -> OwnershipResult:
    more = signatures[1:]
    options: dict[str, Any] = {}
    if scheme == "bitcoin-message":
        script = "" if _PUBLIC_KEY.fullmatch(material) else material
        options = {"script": script, "more_signatures": more, "lenient": True}
    elif scheme == "okx-keccak":
        is_utxo = is_coin(chain_of(account))
        options = {"script": material, "more_signatures": more} if is_utxo else {"public_key": material}
    elif scheme in (*ED25519_SCHEMES, *EOS_SCHEMES, "starknet"):
        options = {"public_key": material}
    return verify(scheme, account, message, signatures[0], **options)


def _plain(chain: ChainId, address: str) -> str:
    """Return a hexadecimal address in lower case: lists mix capitals freely, and a signature settles whose it is."""
    if family_of(chain) in ("eip155", "starknet", "beacon") and address[:2].lower() == "0x":
        return address.lower()
    return address
