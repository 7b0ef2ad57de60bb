"""The coins a payment is made from: of one wallet, as the run recorded them, and only where the plan draws on it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from chains.addresses import canonical_account
from chains.bitcoin.address import bitcoin_facts, script_of
from chains.bitcoin.unsigned_psbt import SpentOutput, dust_limit, input_weight
from chains.ids import AccountId, AssetId, address_of, chain_of
from chains.model import Balance, UnspentOutput
from chains.network import Network, network_of
from verifier.case import Case, Position
from verifier.errors import InputError
from verifier.liquidity.coins import COINBASE_MATURITY


class Source(NamedTuple):
    """A wallet to pay from: its script, the coins that can be spent, the largest first, and what an input weighs.

    `drawn` is what the plan takes from the wallet's pool.
    """

    network: Network
    account: AccountId
    pool: str
    script: bytes
    coins: tuple[SpentOutput, ...]
    weight: int
    drawn: int

    @property
    def dust(self) -> int:
        """The least change that is worth an output."""
        return dust_limit(self.network, self.script)


def source_of(case: Case, plan: Mapping[str, Any], asset: AssetId, text: str, input_vbytes: int | None) -> Source:
    """Return the recorded coins of an account in a pool the plan draws on for the asset.

    Raises InputError for a plan of another run, a wallet the run or the plan does not know for this, one that was
    taken in the incident, and coins nobody listed; IdentifierError for an address that hides what its inputs weigh.
    """
    if plan.get("case") != case.digest:
        raise InputError(f"the plan follows from the run {plan.get('case')}, the bundle is the run {case.digest}")
    network = network_of(chain_of(asset))
    if not bitcoin_facts(network).bech32_hrp or asset != network.native_asset:
        raise InputError(f"{asset}: PSBTs are made for networks with SegWit; write csv or json for this one")
    account = canonical_account(AccountId(text))
    position = _position(case, account, asset)
    pool = str(position.placement.pool)
    draws = _drawn(plan, asset)
    if pool not in draws:
        pools = ", ".join(sorted(draws)) or "no pool"
        raise InputError(f"{account}: is in {pool}; the plan draws this asset from {pools}")
    if account in _lost(plan):
        raise InputError(f"{account}: was taken in the incident; name another wallet")
    script = script_of(network, address_of(account))
    coins = sorted(map(_spent, _coins(position)), key=lambda one: (-one.units, one.outpoint))
    return Source(network, account, pool, script, tuple(coins), input_weight(script, input_vbytes), draws[pool])


def _position(case: Case, account: AccountId, asset: AssetId) -> Position:
    held = {one.placement.holding.account: one for one in case.positions_by_asset.get(asset, [])}
    if account not in held:
        raise InputError(f"{account}: is no wallet of this run that holds {asset}; it has {', '.join(sorted(held))}")
    return held[account]


def _drawn(plan: Mapping[str, Any], asset: AssetId) -> dict[str, int]:
    """Return what the chosen strategy takes of an asset from each pool."""
    try:
        (chosen,) = (one for one in plan["strategies"] if one["strategy"] == plan["chosen"])
        used = {str(one["source"]): int(one["used"]) for one in chosen["draws"] if one["unit"] == asset}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("plan.json: does not say what the chosen strategy draws from which source") from error
    return {name: units for name, units in used.items() if units}


def _lost(plan: Mapping[str, Any]) -> set[str]:
    """Return the accounts from which something was taken."""
    try:
        return {str(one["account"]) for one in plan["lost"]}
    except (KeyError, TypeError) as error:
        raise InputError("plan.json: does not say what was lost") from error


def _coins(position: Position) -> tuple[UnspentOutput, ...]:
    """Return the coins that the next block may spend. A young coin that may be a miner's is left lying."""
    balance = position.result
    account = position.placement.holding.account
    if not isinstance(balance, Balance):
        raise InputError(f"{account}: the run's sources agree on no balance")
    if balance.coins is None:
        raise InputError(f"{account}: the run lists no coins of it; collect it from a source that lists unspent coins")
    tip = balance.block.height
    return tuple(one for one in balance.coins if one.coinbase is False or tip - one.height + 1 >= COINBASE_MATURITY)


def _spent(coin: UnspentOutput) -> SpentOutput:
    return SpentOutput(coin.outpoint, coin.units)
