"""Which class reads which (family, dialect); imported on demand, so that nothing heavy loads unasked."""

from importlib import import_module
from typing import cast

from chains.errors import MissingExtraError, NetworkDataError
from chains.ids import family_of
from chains.network import Network
from chains.providers import Provider
from chains.reader import ChainReader
from chains.transport import Transport

READERS: dict[tuple[str, str], str] = {
    ("eip155", "json-rpc"): "chains.evm.reader:EvmReader",
    ("eip155", "web3"): "chains.evm.web3_reader:Web3Reader",
    ("xrpl", "xrpl"): "chains.xrpl:XrplReader",
    ("bip122", "bitcoin-core"): "chains.bitcoin.core:CoreReader",
    ("bip122", "bitcoin-core-history"): "chains.bitcoin.core_history:CoreHistoryReader",
    ("bip122", "esplora"): "chains.bitcoin.esplora:EsploraReader",
    ("bip122", "bitcoinlib"): "chains.bitcoin.bitcoinlib_explorers:BitcoinlibReader",
}


def open_reader(network: Network, provider: Provider, transport: Transport) -> ChainReader:
    """Return a reader for one provider. Raises NetworkDataError for an unknown dialect, MissingExtraError when its
    optional dependency is not installed."""
    key = (family_of(provider.chain), provider.dialect)
    if key not in READERS:
        known = ", ".join(dialect for family, dialect in READERS if family == key[0]) or "none"
        raise NetworkDataError(f"{provider.name}: unknown dialect {key[1]!r} for {key[0]}; known: {known}")
    module, _, name = READERS[key].partition(":")
    try:
        reader = cast(type[ChainReader], getattr(import_module(module), name))
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"{provider.name}: needs the package {error.name!r}, which is not installed") from error
    return reader(network, provider, transport)
