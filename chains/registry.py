"""Which class reads which (family, dialect); imported on demand, so that nothing heavy loads unasked."""

from importlib import import_module
from typing import cast

from chains.errors import MissingExtraError, NetworkDataError
from chains.ids import family_of
from chains.network import Network
from chains.providers import Provider
from chains.reader import AnchorSource, ChainReader
from chains.transport import Transport

READERS: dict[tuple[str, str], str] = {
    ("eip155", "json-rpc"): "chains.evm.reader:EvmReader",
    ("eip155", "web3"): "chains.evm.web3_reader:Web3Reader",
    ("xrpl", "xrpl"): "chains.xrpl:XrplReader",
    ("tron", "tron"): "chains.tron.reader:TronReader",
    ("stellar", "horizon"): "chains.stellar:HorizonReader",
    ("solana", "solana"): "chains.solana.reader:SolanaReader",
    ("tvm", "toncenter-v2"): "chains.ton.reader:TonReader",
    ("bip122", "bitcoin-core"): "chains.bitcoin.core:CoreReader",
    ("bip122", "bitcoin-core-history"): "chains.bitcoin.core_history:CoreHistoryReader",
    ("bip122", "esplora"): "chains.bitcoin.esplora:EsploraReader",
    ("bip122", "electrum"): "chains.bitcoin.electrum:ElectrumReader",
    ("bip122", "bitcoinlib"): "chains.bitcoin.bitcoinlib_explorers:BitcoinlibReader",
}


# Providers that prove a block instead of reading balances.
ANCHOR_SOURCES: dict[tuple[str, str], str] = {
    ("eip155", "beacon-api"): "chains.evm.light_client.beacon_api:BeaconApi",
}


def open_reader(network: Network, provider: Provider, transport: Transport) -> ChainReader:
    """Return a reader for one provider. Raises NetworkDataError for an unknown dialect, MissingExtraError when its
    optional dependency is not installed."""
    return cast(type[ChainReader], _class_of(READERS, provider))(network, provider, transport)


def is_anchor_source(provider: Provider) -> bool:
    """Say whether a provider proves blocks instead of reading balances."""
    return (family_of(provider.chain), provider.dialect) in ANCHOR_SOURCES


def open_anchor_source(network: Network, provider: Provider, transport: Transport) -> AnchorSource:
    """Return a source of anchors; errors as for `open_reader`."""
    return cast(type[AnchorSource], _class_of(ANCHOR_SOURCES, provider))(network, provider, transport)


def _class_of(table: dict[tuple[str, str], str], provider: Provider) -> type:
    family = family_of(provider.chain)
    place = table.get((family, provider.dialect))
    if place is None:
        known = ", ".join(dialect for name, dialect in (*READERS, *ANCHOR_SOURCES) if name == family) or "none"
        raise NetworkDataError(f"{provider.name}: unknown dialect {provider.dialect!r} for {family}; known: {known}")
    module, _, name = place.partition(":")
    try:
        return cast(type, getattr(import_module(module), name))
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"{provider.name}: needs the package {error.name!r}, which is not installed") from error
