"""Read XRP from an XRP Ledger server: every answer is of the ledger whose hash was asked for.

No real server was available to test against; the simulator in the tests speaks the documented wire format.
"""

import re
from collections.abc import Sequence
from typing import Any

import rfc8785

from chains.base_codecs import RIPPLE_ALPHABET, base58_check, from_base58_check
from chains.errors import IdentifierError, InvalidAnswerError, ProviderError
from chains.ids import ChainId, address_of, chain_id, chain_of
from chains.model import BlockRef, Holding, Reading
from chains.network import Network
from chains.providers import Provider
from chains.rest import decode_page
from chains.transport import Request, Response, Transport

EPOCH = 946_684_800  # ledger times count from 2000-01-01
MAX_DROPS = 10**17
_ACCOUNT_VERSION = b"\x00"
_HASH = re.compile(r"[0-9A-F]{64}")
_DROPS = re.compile(r"0|[1-9][0-9]{0,17}")


def canonical_address(address: str) -> str:
    """Return a classic address as it is. Raises IdentifierError. Source: XRP Ledger, base58 encodings."""
    payload = from_base58_check(address, RIPPLE_ALPHABET)
    if payload is None or len(payload) != 21 or payload[:1] != _ACCOUNT_VERSION:
        hint = "; write an X-address as its classic address" if address[:1] == "X" else ""
        raise IdentifierError(f"{address[:100]!r} is not an XRP Ledger address{hint}")
    return base58_check(payload, RIPPLE_ALPHABET)


class XrplReader:
    """Read one network of the XRP Ledger through one server's JSON-RPC (dialect `xrpl`).

    Balances are asked by ledger hash, and an answer from another or an unvalidated ledger is a failure. An account the
    ledger does not have holds zero. Tokens of issuers are not read.
    """

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None:
        self._network, self._provider, self._transport = network, provider, transport

    def chain(self) -> ChainId:
        """Ask the server which network it follows; servers of the main network may leave its number out."""
        info = self._ask("server_info", {})[0].get("info")
        number = info.get("network_id", 0) if isinstance(info, dict) else None
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise self._invalid("the server's network id is no number")
        return chain_id(f"xrpl:{number}")

    def final_block(self) -> BlockRef:
        """Return the newest validated ledger."""
        return self._ledger("validated")

    def block_at(self, height: int) -> BlockRef:
        """Return the validated ledger with this sequence number. Raises ProviderError when the server lacks it."""
        ledger = self._ledger(height)
        if ledger.height != height:
            raise self._invalid(f"asked for ledger {height}, got {ledger.height}")
        return ledger

    def read_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read XRP as of the ledger `block`, in drops; one Reading per holding, in order."""
        return [self._reading(block, holding) for holding in holdings]

    def _reading(self, block: BlockRef, holding: Holding) -> Reading:
        if holding.asset != self._network.native_asset or chain_of(holding.account) != self._network.chain:
            wrong = f"{holding.account} / {holding.asset}: only {self._network.native_asset} is read here"
            return Reading(holding, self._provider.operator, block, None, (), wrong)
        try:
            address = canonical_address(address_of(holding.account))
        except IdentifierError as error:
            return Reading(holding, self._provider.operator, block, None, (), str(error))
        result, evidence, refusal = self._exchange("account_info", {"account": address, "ledger_hash": block.hash})
        units, failure = self._units(block, address, result, refusal)
        return Reading(holding, self._provider.operator, block, units, (evidence,), failure)

    def _units(self, block: BlockRef, address: str, result: dict[str, Any], error: str) -> tuple[int | None, str]:
        if error not in ("", "actNotFound"):
            return None, f"{self._provider.name}: {error}"
        answered = (result.get("ledger_hash"), result.get("ledger_index"), result.get("validated"))
        if answered != (block.hash, block.height, True):
            return None, f"{self._provider.name}: answered for the ledger {str(answered[0])[:64]}, not {block.hash}"
        if error:
            return 0, ""
        data = result.get("account_data")
        drops = data.get("Balance") if isinstance(data, dict) else None
        if not isinstance(data, dict) or data.get("Account") != address:
            return None, f"{self._provider.name}: the answer is of another account"
        if not isinstance(drops, str) or not _DROPS.fullmatch(drops) or int(drops) > MAX_DROPS:
            return None, f"{self._provider.name}: the balance {str(drops)[:40]!r} is no number of drops"
        return int(drops), ""

    def _ledger(self, which: int | str) -> BlockRef:
        result = self._ask("ledger", {"ledger_index": which})[0]
        ledger = result.get("ledger")
        if not isinstance(ledger, dict) or result.get("validated") is not True:
            raise self._invalid("the ledger is not validated")
        found, height, closed = result.get("ledger_hash"), result.get("ledger_index"), ledger.get("close_time")
        if not isinstance(found, str) or not _HASH.fullmatch(found):
            raise self._invalid("the ledger's hash is not 64 capital hexadecimal digits")
        if type(height) is not int or type(closed) is not int or not 0 <= height < 2**32 or not 0 <= closed < 2**32:
            raise self._invalid("the ledger's number or time is out of range")
        return BlockRef(ChainId(self._network.chain), height, found, EPOCH + closed)

    def _ask(self, method: str, parameters: dict[str, Any]) -> tuple[dict[str, Any], str]:
        result, evidence, error = self._exchange(method, parameters)
        if error:
            raise ProviderError(f"{self._provider.name}: {error}")
        return result, evidence

    def _exchange(self, method: str, parameters: dict[str, Any]) -> tuple[dict[str, Any], str, str]:
        """Return the result, its evidence, and the server's error token if it refused."""
        question = rfc8785.dumps({"method": method, "params": [parameters]})
        response = self._transport.send(self._provider, Request("POST", "", question))
        result = self._result(response)
        if result.get("status") != "success":
            return result, response.evidence, _token(result.get("error"))
        return result, response.evidence, ""

    def _result(self, response: Response) -> dict[str, Any]:
        decoded = decode_page(self._provider, response)
        result = decoded.get("result") if isinstance(decoded, dict) else None
        if not isinstance(result, dict) or response.status >= 400:
            raise ProviderError(f"{self._provider.name}: HTTP {response.status} without a result", response.status)
        return result

    def _invalid(self, text: str) -> InvalidAnswerError:
        return InvalidAnswerError(f"{self._provider.name}: {text}")


def _token(value: Any) -> str:
    """Return an error token with nothing in it that could steer a terminal."""
    text = "".join(letter for letter in str(value)[:60] if letter.isalnum())
    return text or "an error without a name"
