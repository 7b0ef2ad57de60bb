"""docs/liabilities-tree.md once more, as plainly as it can be said: slow, without checks of form, to compare with."""

import hmac
import json
from hashlib import sha256, shake_256
from typing import Any

Sums = tuple[int, ...]
Node = tuple[bytes, Sums]


def tagged_hash(tag: str, message: bytes) -> bytes:
    """Return H_tag(message): SHA-256 after the tag's own hash, twice."""
    prefix = sha256(b"reserve-verifier/liabilities-tree/1/" + tag.encode()).digest()
    return sha256(prefix + prefix + message).digest()


def unsigned(size: int, value: int) -> bytes:
    """Return an unsigned big-endian integer of so many bytes."""
    return value.to_bytes(size, "big")


def encode(sums: Sums) -> bytes:
    """Return 16 bytes per asset. Raises ValueError for what is negative or exceeds 2^128 - 1: nothing wraps."""
    _require(all(0 <= units < 2**128 for units in sums), "an amount or a sum is negative or too large")
    return b"".join(unsigned(16, units) for units in sums)


def leaf(run_id: str, salt: bytes, part: int, account: str, balances: Sums) -> Node:
    """Return one leaf."""
    run, name = run_id.encode(), account.encode()
    message = unsigned(2, len(run)) + run + salt + unsigned(2, part) + unsigned(4, len(name)) + name + encode(balances)
    return tagged_hash("leaf", message), balances


def join(left: Node, right: Node) -> Node:
    """Return the node above two nodes."""
    sums = tuple(a + b for a, b in zip(left[1], right[1], strict=True))
    encode(sums)  # a sum that is too large is refused here and not only by the node above
    return tagged_hash("node", left[0] + encode(left[1]) + right[0] + encode(right[1])), sums


def padding(height: int, assets: int) -> Node:
    """Return the root of 2^height places that hold nobody."""
    if height == 0:
        return tagged_hash("padding", b""), (0,) * assets
    return join(padding(height - 1, assets), padding(height - 1, assets))


def root(leaves: list[Node], height: int, assets: int) -> Node:
    """Return the node above 2^height places, of which the first are taken by the leaves."""
    if not leaves:
        return padding(height, assets)
    if height == 0:
        return leaves[0]
    half = 2 ** (height - 1)
    return join(root(leaves[:half], height - 1, assets), root(leaves[half:], height - 1, assets))


def split(split_key: bytes, account: str, balances: Sums, parts: int) -> list[Sums]:
    """Return what each of an account's leaves holds."""
    stream = shake_256(split_key + account.encode()).digest(8 * len(balances) * (parts - 1))
    held: list[list[int]] = [[] for _ in range(parts)]
    for units in balances:
        cuts = []
        for _ in range(parts - 1):
            cuts.append(units * int.from_bytes(stream[:8], "big") // 2**64)
            stream = stream[8:]
        edges = [0, *sorted(cuts), units]
        for part in range(parts):
            held[part].append(edges[part + 1] - edges[part])
    return [tuple(amounts) for amounts in held]


def depth(leaf_count: int) -> int:
    """Return the least d with 2^d at least the number of leaves."""
    least = 0
    while 2**least < leaf_count:
        least += 1
    return least


def digest_of(header: dict[str, Any]) -> str:
    """Return what the exchange publishes; a header has no text or number that RFC 8785 writes in another way."""
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return tagged_hash("commitment", text.encode()).hex()


def commit(
    accounts: list[tuple[str, Sums]], secret: bytes, run_id: str, as_of: str, assets: list[dict[str, Any]], parts: int
) -> tuple[dict[str, Any], str]:
    """Return the header and the digest of the tree of these accounts; balances are base units."""
    salt_key, split_key = (tagged_hash(tag, secret + run_id.encode()) for tag in ("salt", "split"))
    placed = []
    for account, balances in accounts:
        for part, held in enumerate(split(split_key, account, balances, parts)):
            keyed = hmac.new(salt_key, unsigned(2, part) + account.encode(), "sha256").digest()
            salt, position = keyed[:16], keyed[16:]
            placed.append((position, leaf(run_id, salt, part, account, held)))
    height = depth(len(placed))
    top, totals = root([node for _, node in sorted(placed)], height, len(assets))
    header: dict[str, Any] = {"format": "reserve-verifier/liabilities-tree/1", "run_id": run_id, "as_of": as_of}
    header |= {"assets": assets, "parts": parts, "leaf_count": len(placed), "depth": height}
    header |= {"root": top.hex(), "totals": [str(units) for units in totals]}
    return header, digest_of(header)


def check_proof(proof: dict[str, Any], digest: str) -> Sums:
    """Return the balances that a proof shows under a published digest. Raises ValueError naming the broken rule."""
    header, leaves = proof["commitment"], proof["leaves"]
    _require(digest_of(header) == proof["commitment_digest"] == digest, "the digest is not the published one")
    _require(header["depth"] == depth(header["leaf_count"]), "the depth does not fit the leaf count")
    _require(header["leaf_count"] % header["parts"] == 0, "the leaf count is no multiple of the parts")
    _require(len(leaves) == header["parts"], "a part is missing, or there are too many")
    _require(len({entry["index"] for entry in leaves}) == len(leaves), "one leaf stands for two parts")
    for part, entry in enumerate(leaves):
        _check_leaf(proof, part, entry)
    held = [_amounts(entry["balances"]) for entry in leaves]
    return tuple(sum(amounts) for amounts in zip(*held, strict=True))


def _check_leaf(proof: dict[str, Any], part: int, entry: dict[str, Any]) -> None:
    header, index = proof["commitment"], entry["index"]
    assets = len(header["assets"])
    _require(len(entry["path"]) == header["depth"], "the path is too short or too long")
    _require(0 <= index < header["leaf_count"], "the leaf lies beyond the last one")
    node = leaf(header["run_id"], bytes.fromhex(entry["salt"]), part, proof["account"], _amounts(entry["balances"]))
    for height, step in enumerate(entry["path"]):
        sibling = bytes.fromhex(step["hash"]), _amounts(step["sums"])
        place = index // 2**height
        beside = place - 1 if place % 2 else place + 1
        if beside * 2**height >= header["leaf_count"]:
            _require(sibling == padding(height, assets), "padding carries value")
        else:
            _require(sibling[0] != padding(height, assets)[0], "padding stands where leaves are counted")
        node = join(sibling, node) if place % 2 else join(node, sibling)
    _require(node == (bytes.fromhex(header["root"]), _amounts(header["totals"])), "the path leads elsewhere")


def _amounts(texts: list[str]) -> Sums:
    return tuple(int(text) for text in texts)


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(rule)
