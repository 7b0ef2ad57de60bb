"""What the embedded chain looks like from outside: a full node's JSON-RPC and an Esplora explorer's pages."""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from statistics import median_low
from typing import Any

from chains.bitcoin.address import address_of_script, script_of
from chains.embedded.bitcoin_ledger import Block, History, Ledger
from chains.embedded.loopback import Method, RpcFaultError
from chains.errors import IdentifierError
from chains.network import Network

INVALID_PARAMETER = -8
NOT_FOUND = -5
PAGE_SIZE = 25
MEDIAN_SPAN = 11

_HASH = "[0-9a-f]{64}"
_DESCRIPTOR = re.compile(r"(addr|raw)\(([a-zA-Z0-9]*)\)(?:#[a-z0-9]{8})?")


def rpc_methods(ledger: Callable[[], Ledger], network: Network) -> Mapping[str, Method]:
    """Return the JSON-RPC methods a reader of the dialect `bitcoin-core` calls, answered from the ledger."""

    def get_block_hash(height: int) -> str:
        if not 0 <= height <= ledger().height:
            raise RpcFaultError(INVALID_PARAMETER, "Block height out of range")
        return ledger().blocks[height].hash

    def get_block_header(block_hash: str, verbose: bool = True) -> Any:
        height = ledger().heights.get(block_hash)
        if height is None:
            raise RpcFaultError(NOT_FOUND, "Block not found")
        return header_record(ledger(), height) if verbose else ledger().blocks[height].header.hex()

    def scan(action: str, objects: list[Any] | None = None) -> Any:
        if action != "start":
            return None if action == "status" else False
        return scan_coins(ledger(), network, objects or [])

    return {
        "getblockchaininfo": lambda: {
            "chain": "regtest",
            "blocks": ledger().height,
            "headers": ledger().height,
            "bestblockhash": ledger().tip.hash,
            "time": ledger().tip.time,
            "initialblockdownload": False,
            "pruned": False,
        },
        "getblockcount": lambda: ledger().height,
        "getbestblockhash": lambda: ledger().tip.hash,
        "getblockhash": get_block_hash,
        "getblockheader": get_block_header,
        "scantxoutset": scan,
    }


def header_record(ledger: Ledger, height: int) -> dict[str, Any]:
    block = ledger.blocks[height]
    return {
        "hash": block.hash,
        "height": height,
        "confirmations": ledger.height - height + 1,
        "version": int.from_bytes(block.header[:4], "little"),
        "merkleroot": block.header[36:68][::-1].hex(),
        "time": block.time,
        "mediantime": _median_time(ledger, height),
        "nonce": int.from_bytes(block.header[76:80], "little"),
        "bits": block.header[72:76][::-1].hex(),
        "nTx": _count(block),
        **({"previousblockhash": block.previous} if height else {}),
    }


def scan_coins(ledger: Ledger, network: Network, objects: list[Any]) -> dict[str, Any]:
    """Answer `scantxoutset start` for addr() and raw() descriptors."""
    scripts = dict(_script_of_descriptor(network, item) for item in objects)
    found = ledger.coins_of(scripts)
    unspents = [
        {
            "txid": txid[::-1].hex(),
            "vout": index,
            "scriptPubKey": coin.output.script.hex(),
            "desc": scripts[coin.output.script],
            "amount": _coins(coin.output.units),
            "coinbase": coin.from_coinbase,
            "height": coin.height,
            "blockhash": ledger.blocks[coin.height].hash,
            "confirmations": ledger.height - coin.height + 1,
        }
        for (txid, index), coin in found.items()
    ]
    return {
        "success": True,
        "txouts": len(ledger.coins),
        "height": ledger.height,
        "bestblock": ledger.tip.hash,
        "unspents": unspents,
        "total_amount": _coins(sum(coin.output.units for coin in found.values())),
    }


def _script_of_descriptor(network: Network, item: Any) -> tuple[bytes, str]:
    text = item.get("desc") if isinstance(item, dict) else item
    match = _DESCRIPTOR.fullmatch(text) if isinstance(text, str) else None
    if not isinstance(text, str) or not match:
        raise RpcFaultError(NOT_FOUND, f"only addr() and raw() descriptors are scanned here, not {str(text)[:60]!r}")
    try:
        script = bytes.fromhex(match[2]) if match[1] == "raw" else script_of(network, match[2])
    except (ValueError, IdentifierError) as error:
        raise RpcFaultError(NOT_FOUND, str(error)) from error
    return script, text


def _coins(units: int) -> float:
    """Return an amount as a node prints it. JSON's writer here has no decimals; fifteen digits pass a float exactly,
    and all coins of a regtest chain are 1.5e12 base units."""
    return float(Decimal(units).scaleb(-8))


def esplora_page(ledger: Ledger, network: Network, path: str) -> str | None:
    """Return one of Esplora's pages, None where it would say 404."""
    if path == "/blocks/tip/hash":
        return ledger.tip.hash
    if path == "/blocks/tip/height":
        return str(ledger.height)
    if found := re.fullmatch(r"/block-height/(\d{1,9})", path):
        height = int(found[1])
        return ledger.blocks[height].hash if height <= ledger.height else None
    if found := re.fullmatch(rf"/block/({_HASH})((?:/txs(?:/(\d{{1,9}}))?)?)", path):
        return _block_page(ledger, found[1], bool(found[2]), int(found[3] or 0))
    if found := re.fullmatch(r"/address/([a-zA-Z0-9]{1,100})", path):
        return _address_page(ledger, network, found[1])
    return None


def _block_page(ledger: Ledger, block_hash: str, transactions: bool, start: int) -> str | None:
    height = ledger.heights.get(block_hash)
    if height is None:
        return None
    block = ledger.blocks[height]
    if transactions:
        part = block.transactions[start : start + PAGE_SIZE]
        return json.dumps([{"txid": transaction.id[::-1].hex()} for transaction in part])
    record = header_record(ledger, height)
    return json.dumps(
        {
            "id": block.hash,
            "height": height,
            "version": record["version"],
            "timestamp": block.time,
            "tx_count": record["nTx"],
            "merkle_root": record["merkleroot"],
            "previousblockhash": record.get("previousblockhash"),
            "mediantime": record["mediantime"],
            "nonce": record["nonce"],
            "bits": int(record["bits"], 16),
        }
    )


def _address_page(ledger: Ledger, network: Network, address: str) -> str | None:
    try:
        script = script_of(network, address)
    except IdentifierError:
        return None
    history = ledger.histories.get(script, History())
    return json.dumps(
        {
            "address": address_of_script(network, script),
            "chain_stats": {
                "funded_txo_count": history.funded_count,
                "funded_txo_sum": history.funded_units,
                "spent_txo_count": history.spent_count,
                "spent_txo_sum": history.spent_units,
                "tx_count": len(history.transactions),
            },
            "mempool_stats": {
                "funded_txo_count": 0,
                "funded_txo_sum": 0,
                "spent_txo_count": 0,
                "spent_txo_sum": 0,
                "tx_count": 0,
            },
        }
    )


def _median_time(ledger: Ledger, height: int) -> int:
    return median_low(sorted(block.time for block in ledger.blocks[max(0, height - MEDIAN_SPAN + 1) : height + 1]))


def _count(block: Block) -> int:
    return len(block.transactions) or 1  # the genesis block is kept without its coinbase
