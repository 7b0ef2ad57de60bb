"""Read Toncoin over the HTTP API that toncenter made common: every answer is of the masterchain block asked for.

No real server was available to test against; the simulator in the tests speaks the documented wire format.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any

from chains.errors import IdentifierError, InvalidAnswerError, ProviderError
from chains.ids import ChainId, address_of, chain_id, chain_of
from chains.model import BlockRef, Holding, Reading
from chains.network import Network
from chains.providers import Provider
from chains.rest import decode_page
from chains.ton.address import MASTERCHAIN, canonical_address
from chains.transport import Request, Transport

MAX_NANOTONS = 10**19  # about twice all there are
WHOLE_SHARD = "-9223372036854775808"
_DIGITS = re.compile(r"-1|0|[1-9][0-9]{0,19}")


class TonReader:
    """Read one TON network through one server of the HTTP API (dialect `toncenter-v2`).

    A block is one of the masterchain, its hash the root hash in hexadecimal digits. Balances are asked by the
    masterchain block's number, and an answer that names another block, root hash or account is a failure. An account
    that is not there holds zero. Jettons are not read: each holder's balance is in a contract of its own, found by
    running code of the issuer.
    """

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None:
        self._network, self._provider, self._transport = network, provider, transport

    def chain(self) -> ChainId:
        """Ask for the network's number, which every block carries. Source: CAIP-2 profile of the namespace tvm."""
        number = self._header(self._newest()).get("global_id")
        if type(number) is not int or not -(2**31) <= number < 2**31:
            raise self._invalid("the block's network number is out of range")
        return chain_id(f"tvm:{number}")

    def final_block(self) -> BlockRef:
        """Return the newest masterchain block: the validators signed it, and none is replaced."""
        return self.block_at(self._newest())

    def block_at(self, height: int) -> BlockRef:
        """Return the masterchain block with this number. Raises ProviderError when the server lacks it."""
        header = self._header(height)
        time = header.get("gen_utime")
        if type(time) is not int or not 0 <= time < 2**32:
            raise self._invalid("the block's time is out of range")
        return BlockRef(ChainId(self._network.chain), height, self._root_hash(header.get("id"), height), time)

    def read_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read Toncoin as of the masterchain block `block`, in nanotons; one Reading per holding, in order."""
        return [self._reading(block, holding) for holding in holdings]

    def _reading(self, block: BlockRef, holding: Holding) -> Reading:
        if holding.asset != self._network.native_asset or chain_of(holding.account) != self._network.chain:
            wrong = (
                f"{holding.account} / {holding.asset}: only {self._network.native_asset} is read here, and no jettons"
            )
            return Reading(holding, self._provider.operator, block, None, (), wrong)
        try:
            address = canonical_address(self._network, address_of(holding.account))
        except IdentifierError as error:
            return Reading(holding, self._provider.operator, block, None, (), str(error))
        path = f"/getExtendedAddressInformation?address={address}&seqno={block.height}"
        result, evidence, refusal = self._exchange(path)
        if refusal:
            return Reading(holding, self._provider.operator, block, None, (evidence,), str(refusal))
        try:
            units = self._units(block, address, result)
        except InvalidAnswerError as error:
            return Reading(holding, self._provider.operator, block, None, (evidence,), str(error))
        return Reading(holding, self._provider.operator, block, units, (evidence,))

    def _units(self, block: BlockRef, address: str, result: dict[str, Any]) -> int:
        root_hash = self._root_hash(result.get("block_id"), block.height)
        if root_hash != block.hash:
            raise self._invalid(f"answered for the block {root_hash}, not {block.hash}")
        named = result.get("address")
        spelled = named.get("account_address") if isinstance(named, dict) else None
        if not isinstance(spelled, str) or not self._same(spelled, address):
            raise self._invalid("the answer is of another account")
        balance = result.get("balance")
        if not isinstance(balance, str) or not _DIGITS.fullmatch(balance) or int(balance) > MAX_NANOTONS:
            raise self._invalid(f"the balance {str(balance)[:40]!r} is no number of nanotons")
        return max(0, int(balance))  # -1 is how the API writes the balance of an account that is not there

    def _same(self, spelled: str, address: str) -> bool:
        try:
            return canonical_address(self._network, spelled) == address
        except IdentifierError:
            return False

    def _newest(self) -> int:
        last = self._ask("/getMasterchainInfo").get("last")
        height = last.get("seqno") if isinstance(last, dict) else None
        if type(height) is not int or not 0 < height < 2**32:
            raise self._invalid("the newest block's number is out of range")
        return height

    def _header(self, height: int) -> dict[str, Any]:
        header = self._ask(f"/getBlockHeader?workchain={MASTERCHAIN}&shard={WHOLE_SHARD}&seqno={height}")
        self._root_hash(header.get("id"), height)
        return header

    def _root_hash(self, identity: Any, height: int) -> str:
        """Return the root hash in a masterchain block's full name. Raises InvalidAnswerError for another block."""
        if not isinstance(identity, dict):
            raise self._invalid("the answer names no block")
        named = (identity.get("workchain"), identity.get("shard"), identity.get("seqno"))
        if named != (MASTERCHAIN, WHOLE_SHARD, height) or type(named[2]) is not int:
            raise self._invalid(f"answered for the block {str(named[2])[:20]}, not the masterchain's {height}")
        try:
            raw = base64.b64decode(str(identity.get("root_hash"))[:100], validate=True)
        except (binascii.Error, ValueError) as error:
            raise self._invalid("the block's root hash is not in base64") from error
        if len(raw) != 32:
            raise self._invalid(f"the block's root hash has {len(raw)} bytes; expected 32")
        return raw.hex()

    def _ask(self, path: str) -> dict[str, Any]:
        result, _, refusal = self._exchange(path)
        if refusal:
            raise refusal
        return result

    def _exchange(self, path: str) -> tuple[dict[str, Any], str, ProviderError | None]:
        """Return the result, its evidence, and the server's refusal if it refused."""
        response = self._transport.send(self._provider, Request("GET", path))
        decoded = decode_page(self._provider, response)
        if not isinstance(decoded, dict) or type(decoded.get("ok")) is not bool:
            raise ProviderError(f"{self._provider.name}: HTTP {response.status} without a result", response.status)
        if not decoded["ok"] or response.status >= 400:
            words = "".join(letter for letter in str(decoded.get("error"))[:200] if letter.isprintable())
            return {}, response.evidence, ProviderError(f"{self._provider.name}: {words}", response.status)
        if not isinstance(decoded.get("result"), dict):
            raise self._invalid("the result is no object")
        return decoded["result"], response.evidence, None

    def _invalid(self, text: str) -> InvalidAnswerError:
        return InvalidAnswerError(f"{self._provider.name}: {text}")
