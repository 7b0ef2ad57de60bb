"""Who could move what: whether the company's own keys suffice for wallets of clients, as far as scripts show."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from chains.bitcoin.address import script_of
from chains.bitcoin.spending import Condition, Key, Threshold, can_spend, keys_of, spending_of
from chains.errors import ChainError
from chains.ids import AccountId, ChainId, address_of, chain_of, family_of
from chains.network import network_of
from chains.signatures.key_addresses import hash160
from chains.signatures.multisig import Multisig, parse_multisig
from verifier.case import Case
from verifier.declaration import Pool
from verifier.ownership.claims import Control
from verifier.segregation.flows import PROTECTED

_PUBLIC_KEY_DIGITS = (66, 130)
_KEY_HASH_SCRIPTS = (22, 25)  # P2WPKH and P2PKH: the hash of the one key stands in the script itself


class Quorum(NamedTuple):
    """What it takes to move an account; None when neither a descriptor, a script nor the address tells."""

    account: AccountId
    pool: Pool
    condition: Condition | None


class SharedQuorum(NamedTuple):
    """A protected wallet whose keys are also keys of the company's own wallets; `suffices` when they are enough."""

    account: AccountId
    pool: Pool
    keys: tuple[str, ...]
    suffices: bool


class KeyOverview(NamedTuple):
    """The protected wallets with keys in common with the company's own, and those nothing is known of."""

    shared: tuple[SharedQuorum, ...]
    unknown: tuple[AccountId, ...]


def key_overview(case: Case) -> KeyOverview:
    """Compare the keys behind protected wallets with those behind proprietary ones.

    A key is the same when its extended key, its public key, or the hash of it in an address is the same. A key derived
    from an extended key is not compared with a bare one.
    """
    quorums = list(_quorums(case))
    own = {
        name
        for quorum in quorums
        if quorum.pool is Pool.PROPRIETARY and quorum.condition is not None
        for name in keys_of(quorum.condition)
    }
    blind = any(quorum.pool is Pool.PROPRIETARY and quorum.condition is None for quorum in quorums)
    shared, unknown = [], []
    for account, pool, condition in quorums:
        if pool not in PROTECTED:
            continue
        if condition is None:
            unknown.append(account)
            continue
        common = keys_of(condition) & own
        if common:
            shared.append(SharedQuorum(account, pool, tuple(sorted(common)), can_spend(condition, own)))
        elif blind:
            unknown.append(account)
    return KeyOverview(tuple(shared), tuple(unknown))


def _quorums(case: Case) -> Iterator[Quorum]:
    """Yield one quorum per declared account, by whatever tells most of it."""
    # A script counts only where the claim that shows it holds: it was compared with the address then.
    signed = {p.ownership.account for p in case.positions if p.ownership and p.ownership.control is Control.SIGNED}
    scripts = {c.account: c.script for c in case.declaration.ownership if c.script and c.account in signed}
    by_wallet: dict[int, Condition | None] = {}
    seen: set[AccountId] = set()
    for position in case.positions:
        holding, pool, number = position.placement
        if holding.account in seen:
            continue
        seen.add(holding.account)
        wallet = case.declaration.wallets[number]
        if wallet.descriptor is not None and number not in by_wallet:
            by_wallet[number] = spending_of(network_of(ChainId(wallet.chain or "")), wallet.descriptor)
        described = by_wallet.get(number)
        told = _condition(holding.account, scripts) if described is None else _by_hash(described)
        yield Quorum(holding.account, pool, told)


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
