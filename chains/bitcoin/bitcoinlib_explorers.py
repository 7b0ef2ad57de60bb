"""Read balances from a public explorer through bitcoinlib's client for it: one more independent voice.

The only module that imports bitcoinlib (AGPL-3.0), and only when a reader is opened. Its import writes files and turns
off TLS warnings for the whole process: here it writes to a temporary folder and the warnings are put back.
"""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from chains.bitcoin.address import bitcoin_facts
from chains.bitcoin.holdings import (
    MAX_TIME,
    checked_hash,
    checked_number,
    checked_record,
    moved,
    reading,
    refused,
    targets_of,
)
from chains.decode import parse_json
from chains.errors import InvalidAnswerError, MissingExtraError, NetworkDataError, ProviderError
from chains.ids import ChainId, chain_id
from chains.model import BlockRef, Holding, Reading
from chains.network import Network
from chains.providers import Provider
from chains.transport import Request, Transport

# option `client` -> (module, class). bitcoinlib has more; these are the ones whose pages our tests serve.
CLIENTS = {
    "mempool": ("bitcoinlib.services.mempool", "MempoolClient"),
    "blockstream": ("bitcoinlib.services.blockstream", "BlockstreamClient"),
}
SATOSHI_DENOMINATOR = 1
FOREIGN_ERRORS = (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError)


class BitcoinlibReader:
    """Read one network through one explorer client of bitcoinlib (dialect `bitcoinlib`, option `client`).

    bitcoinlib's `Service` is never used: it mixes providers without comparing them. One client is created and its
    requests go through our transport, so every exchange is recorded and can be replayed. Explorers state balances at
    their tip and name no block: the tip is asked before and after, and unless both are the pinned block every reading
    is a failure. Raises MissingExtraError without bitcoinlib, NetworkDataError for a client or network it lacks.
    """

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None:
        self._network = network
        self._facts = bitcoin_facts(network)
        self._provider = provider
        self._transport = transport
        self._evidence: list[str] = []
        self._client = self._open_client()

    def chain(self) -> ChainId:
        """Ask for the genesis block's hash, the start of which is the chain id. Source: BIP-122."""
        return chain_id(f"bip122:{self.block_at(0).hash[:32]}")

    def final_block(self) -> BlockRef:
        """Return the explorer's tip: the only block it states balances at (see `CoreReader.final_block`)."""
        return self.block_at(checked_number(self._provider, self._ask(self._client.blockcount), "the tip's height"))

    def block_at(self, height: int) -> BlockRef:
        """Return the block at `height` on the explorer's main chain. Raises ProviderError when there is none."""
        block = checked_record(
            self._provider, self._ask(self._client.getblock, height, False, 1, 1), f"the block at {height}"
        )
        if block.get("height") != height:
            raise InvalidAnswerError(
                f"{self._provider.name}: asked for block {height}, was shown {block.get('height')}"
            )
        found = checked_hash(self._provider, block.get("block_hash"), f"the hash at {height}")
        time = checked_number(self._provider, block.get("time"), "the block's time", MAX_TIME)
        return BlockRef(ChainId(self._network.chain), height, found, time)

    def read_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read holdings as of `block`, one request per address, between two looks at the tip."""
        targets = targets_of(self._network, holdings)
        with self._collecting() as tip_evidence:
            before = self.final_block()
        failure = "" if before.hash == block.hash else moved(block, before.height, before.hash)
        addresses = [] if failure else [target.address for target in targets if not target.failure]
        answers = {address: self._balance(address) for address in addresses}
        if not failure:
            with self._collecting() as last_evidence:
                after = self.final_block()
            tip_evidence = tip_evidence + last_evidence
            failure = "" if after.hash == block.hash else moved(block, after.height, after.hash)
        readings = []
        for target in targets:
            units, own, own_failure = answers.get(target.address, (None, (), ""))
            evidence = () if target.failure else (*tip_evidence, *own)
            readings.append(reading(self._provider, block, target, units, evidence, failure or own_failure))
        return readings

    def _balance(self, address: str) -> tuple[int | None, Sequence[str], str]:
        with self._collecting() as evidence:
            try:
                answer = self._ask(self._client.getbalance, [address])
            except ProviderError as error:
                return None, evidence, str(error)
        units = checked_number(self._provider, answer, f"the balance of {address}", self._facts.max_money)
        return units, evidence, ""

    @contextmanager
    def _collecting(self) -> Iterator[list[str]]:
        """Gather the evidence ids of the exchanges made inside."""
        self._evidence = []
        yield self._evidence

    def _ask(self, method: Callable[..., Any], *arguments: Any) -> Any:
        """Call one of the client's methods; what it cannot read in an answer is the answer's fault."""
        try:
            return method(*arguments)
        except FOREIGN_ERRORS as error:
            raise InvalidAnswerError(
                f"{self._provider.name}: bitcoinlib cannot read the answer ({type(error).__name__}: {str(error)[:80]})"
            ) from error

    def _request(self, url_path: str, variables: Any = None, method: str = "get", *_: Any, **__: Any) -> Any:
        """Stand in for the client's own HTTP: same questions, sent through our transport."""
        if method != "get":
            raise ProviderError(f"{self._provider.name}: only reading is allowed, not {method}")
        query = f"?{urlencode(variables)}" if variables else ""
        response = self._transport.send(self._provider, Request("GET", f"/{url_path}{query}"))
        self._evidence.append(response.evidence)
        if response.status != 200:
            raise refused(self._provider, response)
        try:
            return parse_json(response.body)
        except InvalidAnswerError:
            # some pages are bare text, such as a block hash; the caller checks its form
            return response.body.decode("utf-8", "replace").strip()

    def _open_client(self) -> Any:
        name = self._provider.option("client")
        if name not in CLIENTS:
            raise NetworkDataError(
                f"{self._provider.name}: set the option `client` to one of {', '.join(CLIENTS)}, not {name!r}"
            )
        if not self._facts.bitcoinlib_network:
            raise NetworkDataError(f"{self._provider.name}: bitcoinlib does not know {self._network.name}")
        module, class_name = CLIENTS[name]
        _import_quietly()
        client = getattr(import_module(module), class_name)(
            self._facts.bitcoinlib_network, self._provider.url, SATOSHI_DENOMINATOR
        )
        # bitcoinlib's clients call super(self.__class__, …), so a subclass would recurse: replace it on the instance
        client.request = self._request
        return client


@cache
def _import_quietly() -> TemporaryDirectory[str]:
    """Import bitcoinlib once, without its side effects; the folder is removed when the process ends."""
    folder = TemporaryDirectory(prefix="reserve-verifier-bitcoinlib-")
    previous = os.environ.get("BCL_DATA_DIR")
    os.environ["BCL_DATA_DIR"] = folder.name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its dependencies' deprecations are not ours to show
            for module, _ in CLIENTS.values():
                import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the dialect bitcoinlib needs the package {error.name!r}: install reserve-verifier[bitcoinlib]"
        ) from error
    finally:
        if previous is None:
            del os.environ["BCL_DATA_DIR"]
        else:
            os.environ["BCL_DATA_DIR"] = previous
    return folder
