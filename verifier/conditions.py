"""What it takes to move each declared account, as far as a descriptor, a shown script or the address itself tells."""

from collections.abc import Mapping

from chains.bitcoin.address import script_of
from chains.bitcoin.spending import Condition, Key, Threshold, spending_of
from chains.errors import ChainError
from chains.ids import AccountId, ChainId, address_of, chain_of, family_of
from chains.network import network_of
from chains.signatures.key_addresses import hash160
from chains.signatures.multisig import Multisig, parse_multisig
from verifier.case import Case
from verifier.ownership.claims import Control

_PUBLIC_KEY_DIGITS = (66, 130)
_KEY_HASH_SCRIPTS = (22, 25)  # P2WPKH and P2PKH: the hash of the one key stands in the script itself


def spending_conditions(case: Case) -> dict[AccountId, Condition | None]:
    """Return the condition of every declared account; None when only a hash of it is known.

    A bare public key is named by its hash, as in addresses; an extended key by itself.
    """
    # A script counts only where the claim that shows it holds: it was compared with the address then.
    signed = {p.ownership.account for p in case.positions if p.ownership and p.ownership.control is Control.SIGNED}
    scripts = {c.account: c.script for c in case.declaration.ownership if c.script and c.account in signed}
    described: dict[int, Condition | None] = {}
    found: dict[AccountId, Condition | None] = {}
    for position in case.positions:
        account, number = position.placement.holding.account, position.placement.wallet
        if account in found:
            continue
        wallet = case.declaration.wallets[number]
        if wallet.descriptor is not None and number not in described:
            described[number] = spending_of(network_of(ChainId(wallet.chain or "")), wallet.descriptor)
        told = described.get(number)
        found[account] = _condition(account, scripts) if told is None else _by_hash(told)
    return found


def _by_hash(condition: Condition) -> Condition:
    """Name bare public keys by their hash, as addresses do, so that both meet."""
    match condition:
        case Key() if len(condition.name) in _PUBLIC_KEY_DIGITS and not condition.name.startswith(("x", "t")):
            return Key(hash160(bytes.fromhex(condition.name)).hex())
        case Threshold():
            return Threshold(condition.least, tuple(_by_hash(item) for item in condition.items))
        case _:
            return condition


def _condition(account: AccountId, scripts: Mapping[str, str]) -> Condition | None:
    """Return what an address alone tells, or the script that a claim shows for it."""
    chain = chain_of(account)
    if family_of(chain) != "bip122":
        # An account of the other families is its own key; whether a contract stands there is read on the chain.
        return Key(address_of(account).lower()) if account not in scripts else None
    try:
        script = script_of(network_of(chain), address_of(account))
        shown = parse_multisig(bytes.fromhex(scripts[account])) if account in scripts else ""
    except (ChainError, ValueError):
        return None
    if isinstance(shown, Multisig):
        return Threshold(shown.required, tuple(Key(hash160(key).hex()) for key in shown.keys))
    if len(script) in _KEY_HASH_SCRIPTS:
        return Key((script[2:] if len(script) == _KEY_HASH_SCRIPTS[0] else script[3:23]).hex())
    return Key(script.hex()) if script[:2] == b"\x51\x20" else None  # a Taproot output is a key of its own
