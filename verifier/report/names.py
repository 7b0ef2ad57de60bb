"""What a report calls an asset: its symbol, and where one symbol stands for several assets, also its network."""

from collections import Counter
from collections.abc import Mapping

from chains.errors import ChainError
from chains.ids import AssetId, chain_of
from chains.network import network_of
from verifier.case import Case


def asset_names(case: Case) -> Mapping[str, str]:
    """Return a name of its own for every declared, held or owed asset; one that is not declared goes by its id."""
    symbols = case.declaration.symbols()
    often = Counter(symbols.values())
    names = {
        asset: symbol if often[symbol] == 1 else f"{symbol} ({_network(AssetId(asset))})"
        for asset, symbol in symbols.items()
    }
    again = Counter(names.values())
    named = {asset: name if again[name] == 1 else f"{symbols[asset]} ({asset})" for asset, name in names.items()}
    owed = case.liabilities.totals if case.liabilities else {}
    return {**{str(asset): str(asset) for asset in (*case.positions_by_asset, *owed)}, **named}


def _network(asset: AssetId) -> str:
    try:
        return network_of(chain_of(asset)).name
    except ChainError:
        return str(chain_of(asset))
