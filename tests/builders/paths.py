"""Users' proofs in every format that hands out a path."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.builders.tree import Node, add, copy_of, grow, h, path, raw, strip


@dataclass
class Built:
    """Files to hand over, what else the user knows, and what must come out."""

    files: dict[str, bytes]
    root: str
    own: dict[str, str]
    totals: dict[str, str] | None = None
    facts: dict[str, str] = field(default_factory=dict)
    expected: dict[str, str] = field(default_factory=dict)


Balances = list[dict[str, Decimal]]
Builder = Callable[[Balances, int], Built]
BUILDERS: dict[str, Builder] = {}


def builds(name: str):
    def register(function: Builder) -> Builder:
        BUILDERS[name] = function
        return function

    return register


def text8(amount: Decimal) -> str:
    return format(amount.quantize(Decimal("0.00000001")), "f")


def shown(sums: dict[str, Decimal]) -> dict[str, str]:
    return {coin: strip(amount) for coin, amount in sums.items()}


def quoted(sums: dict[str, Decimal], number=strip) -> str:
    return "{" + ",".join(f'"{coin}":"{number(amount)}"' for coin, amount in sums.items()) + "}"


def javahash(sums: dict[str, Decimal]) -> dict[str, Decimal]:
    size = 16
    while len(sums) > size * 0.75:
        size *= 2

    def bucket(coin: str) -> int:
        code = 0
        for letter in coin:
            code = (code * 31 + ord(letter)) % 2**32
        return (code ^ code >> 16) % size

    return dict(sorted(sums.items(), key=lambda item: bucket(item[0])))


def dump(value) -> bytes:
    return json.dumps(value).encode()


def finish(name: str, value, levels, own, **more) -> Built:
    root = levels[-1][0]
    return Built({name: dump(value)}, root.hash, shown(own), shown(root.sums), **more)


def secret(user: int) -> str:
    return h(f"secret of {user}")


@builds("okx-v1")
def okx_v1(balances: Balances, user: int) -> Built:
    leaves = [Node(h(secret(u) + quoted(b)), b) for u, b in enumerate(balances)]

    def join(left, right, height):
        sums = add(left.sums, right.sums)
        return Node(h(left.hash + right.hash + "".join(strip(v) for v in sums.values()) + str(height)), sums)

    levels = grow(leaves, join, copy_of)
    steps = [
        {
            "auditId": "A1",
            "balances": shown(s.sums),
            "type": 4 if s.pad else 1 if left else 2,
            "hash": s.hash,
            "height": k,
        }
        for k, (s, left, _) in enumerate(path(levels, user), 1)
    ]
    root = {"auditId": "A1", "balances": shown(levels[-1][0].sums), "type": 3, "hash": levels[-1][0].hash}
    me = {"auditId": "A1", "balances": shown(balances[user]), "type": user % 2 + 1, "hash": leaves[user].hash,
          "height": 1, "nonce": secret(user)}  # fmt: skip
    return finish("p.json", {"path": [*steps, {**root, "height": len(levels)}], "self": me}, levels, balances[user])


def bitget(number: Callable[[Decimal], str], quote: str, width: int, names: dict[str, str], pads: bool):
    def wrote(sums):
        return "{" + ",".join(f'"{c}":{quote}{number(v)}{quote}' for c, v in javahash(sums).items()) + "}"

    def build(balances: Balances, user: int) -> Built:
        leaves = [Node(h(f"{h(f'uid{u}')},{secret(u)},{wrote(b)}", width), b) for u, b in enumerate(balances)]
        depth = (len(leaves) - 1).bit_length() + 1

        def join(left, right, height):
            sums = add(left.sums, right.sums)
            return Node(h(f"{left.hash}{right.hash},{wrote(sums)},{depth + 1 - height}", width), sums)

        levels = grow(leaves, join, copy_of)

        def entry(node, role, level):
            said = {c: number(v) if quote else Number(number(v)) for c, v in node.sums.items()}
            return {names["balances"]: said, names["hash"]: node.hash, names["side"]: role, names["height"]: level}

        steps = [
            entry(s, (0 if pads else 2) if s.pad else 1 if left else 2, depth - k)
            for k, (s, left, _) in enumerate(path(levels, user))
        ]
        me = {"encryptUid": h(f"uid{user}"), "nonce": secret(user), **entry(leaves[user], user % 2 + 1, depth)}
        if not pads:
            me["precisions"] = dict.fromkeys(balances[user], 8)
        value = {"path": [*steps, entry(levels[-1][0], 3, 1)], "self": {**me, "auditId": "Au1"}}
        built = finish("p.json", {}, levels, balances[user])
        built.files["p.json"] = dumps_exact(value)
        return built

    return build


class Number(str):
    """A JSON number whose digits must stay as they are."""


def dumps_exact(value) -> bytes:
    marks: dict[str, str] = {}

    def mark(item):
        if isinstance(item, Number):
            name = f"@{len(marks)}@"
            marks[f'"{name}"'] = str(item)
            return name
        if isinstance(item, dict):
            return {key: mark(inner) for key, inner in item.items()}
        return [mark(inner) for inner in item] if isinstance(item, list) else item

    text = json.dumps(mark(value))
    for name, number in marks.items():
        text = text.replace(name, number)
    return text.encode()


OLD = {"balances": "balances", "hash": "merkelLeaf", "side": "role", "height": "level"}
NEW = {"balances": "balances", "hash": "merkleLeaf", "side": "type", "height": "height"}
BUILDERS["bitget-v104"] = bitget(strip, '"', 16, OLD, True)
BUILDERS["bitget-v102"] = bitget(str, "", 16, OLD, True)
BUILDERS["uzx"] = bitget(str, "", 16, OLD, True)
BUILDERS["bitunix"] = bitget(text8, '"', 64, NEW, False)


@builds("mexc")
def mexc(balances: Balances, user: int) -> Built:
    def pairs(sums, number=strip):
        return ",".join(f"{c}:{number(v)}" for c, v in sorted(sums.items()))

    leaves = [Node(h(f"PR-1,17452{u},{pairs(b)}", 32), b) for u, b in enumerate(balances)]
    opened = dict.fromkeys(("BTC", "ETH", "USDC", "USDT"), Decimal(0))

    def join(left, right, height):
        sums = left.sums if right.pad else add({**opened, **left.sums}, right.sums)
        return Node(h(f"{left.hash},{right.hash},{pairs(sums)}", 32), sums)

    levels = grow(leaves, join, lambda node: Node("", {}, True))
    steps = [
        {"level": k, "type": 1 if left else 2, "hash": s.hash, "balances": shown(s.sums)}
        for k, (s, left, _) in enumerate(path(levels, user))
        if not s.pad
    ]
    top = levels[-1][0]
    root = {"level": len(levels) - 1, "type": 3, "hash": top.hash, "balances": shown(top.sums)}
    me = {"level": 0, "type": user % 2 + 1, "hash": leaves[user].hash, "balances": shown(balances[user]),
          "proofId": "PR-1", "accountId": f"17452{user}"}  # fmt: skip
    return finish("p.json", {"pathList": [*steps, root], "self": me}, levels, balances[user])


@builds("bybit")
def bybit(balances: Balances, user: int) -> Built:
    def joined(sums):
        return "".join(text8(v) for v in sums.values())

    leaves = [Node(h(h(f"user{u}") + joined(b)), b) for u, b in enumerate(balances)]

    def join(left, right, height):
        sums = add(left.sums, right.sums)
        return Node(h(f"{left.hash}{right.hash}{joined(sums)}{height}"), sums)

    levels = grow(leaves, join, copy_of)

    def entry(node, side, height):
        said = {c: text8(v) for c, v in node.sums.items()}
        return {"auditId": "2024", "balance": said, "type": side, "hash": node.hash, "height": height, "nonce": ""}

    steps = [entry(s, 1 if left else 2, k) for k, (s, left, _) in enumerate(path(levels, user), 1)]
    me = {**entry(leaves[user], user % 2 + 1, 1), "userHash": h(f"user{user}")}
    return finish(
        "p.json", {"self": me, "path": [*steps, entry(levels[-1][0], 3, len(levels))]}, levels, balances[user]
    )


def coinex(twice: bool):
    def build(balances: Balances, user: int) -> Built:
        def wrote(sums):
            return quoted(dict(sorted(sums.items())))

        leaves = [Node(h(secret(u) + wrote(b)), b) for u, b in enumerate(balances)]

        def join(left, right, height):
            sums = left.sums if right.pad else add(left.sums, right.sums)
            pair = left.hash * (1 + twice) if right.pad else left.hash + right.hash
            return Node(h(pair + wrote(sums)), sums)

        levels = grow(leaves, join, lambda node: Node("", {}, True))
        steps = [
            {} if s.pad else {"balances": shown(s.sums), "hash": s.hash, "pos": "left" if left else "right"}
            for s, left, _ in path(levels, user)
        ]
        top = levels[-1][0]
        value = {"root": {"balances": shown(top.sums), "hash": top.hash}, "path": steps}
        return finish("p.json", {**value, "self": {"balances": shown(balances[user]), "nonce": secret(user)}}, levels,
                      balances[user])  # fmt: skip

    return build


BUILDERS["coinex"] = coinex(True)
BUILDERS["coinex:sample"] = coinex(False)


@builds("htx-v1")
def htx(balances: Balances, user: int) -> Built:
    leaves = [Node(h(f"leaf {u}"), b) for u, b in enumerate(balances)]

    def join(left, right, height):
        sums = add(left.sums, right.sums)
        return Node(h(left.hash + right.hash + "".join(strip(v) for v in sums.values())), sums)

    levels = grow(leaves, join, copy_of)

    def entry(node, right, depth):
        said = ",".join(f"{c}:{strip(v)}" for c, v in node.sums.items())
        return {"balances": said, "hash": node.hash, "r": int(right), "depth": depth, "type": "", "uhash": ""}

    steps = [entry(s, not left, len(levels) - 1 - k) for k, (s, left, _) in enumerate(path(levels, user))]
    value = {"data": [entry(levels[-1][0], 0, 0), *steps, entry(leaves[user], user % 2, len(levels) - 1)]}
    return finish("p.json", value, levels, balances[user])


@builds("hotcoin")
def hotcoin(balances: Balances, user: int) -> Built:
    coins = list(balances[0])
    name = "HOTCOIN-POR-SUM"

    def listed(kind: int, *fields: str) -> str:
        return h(bytes([kind]) + json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode())

    config = listed(3, name, *(text for coin in coins for text in (coin, "8")))

    def amounts(sums):
        return [strip(sums[coin]) for coin in coins]

    leaves = [
        Node(listed(0, name, "s-1", config, h(f"a{u}"), secret(u), *amounts(b)), b) for u, b in enumerate(balances)
    ]
    padding = Node(listed(2, name, "s-1", config), dict.fromkeys(coins, Decimal(0)), True)

    def join(left, right, height):
        sums = add(left.sums, right.sums)
        return Node(listed(1, name, config, left.hash, right.hash, *amounts(sums)), sums)

    levels = grow(leaves, join, lambda node: padding)
    assets = [{"coin": coin, "decimals": 8} for coin in coins]
    steps = [
        {"position": "LEFT" if left else "RIGHT", "hash": s.hash, "balances": shown(s.sums)}
        for s, left, _ in path(levels, user)
    ]
    me = {"snapshotId": "s-1", "accountId": h(f"a{user}"), "nonce": secret(user), "balances": shown(balances[user]),
          "leafHash": leaves[user].hash, "leafIndex": user, "leafCount": len(balances)}  # fmt: skip
    built = finish("p.json", {"protocol": name, "assets": assets, "self": me, "path": steps}, levels, balances[user])
    anchor = {"protocol": name, "assets": assets, "snapshotId": "s-1", "root": levels[-1][0].hash,
              "leafCount": len(balances), "userTotals": shown(levels[-1][0].sums)}  # fmt: skip
    built.files["anchor.json"] = dump(anchor)
    return built


@builds("lemon")
def lemon(balances: Balances, user: int) -> Built:
    eight = Decimal("0.00000001")
    held = [{c: v for c, v in b.items() if v} for b in balances]
    leaves = [Node(h(f"AUD-1user-{u}"), b) for u, b in enumerate(held)]
    leaves += [Node("00" * 32, {})] * ((1 << (len(leaves) - 1).bit_length()) - len(leaves))

    def wrote(sums):
        return "|".join(f"{c}:{v.quantize(eight)}" for c, v in sorted(sums.items()))

    def join(left, right, height):
        message = raw(left.hash) + wrote(left.sums).encode() + raw(right.hash) + wrote(right.sums).encode()
        return Node(h(message), add(left.sums, right.sums))

    levels = grow(leaves, join, lambda node: None)
    steps = ",".join(
        "{" + f"{'LEFT' if left else 'RIGHT'},{s.hash},{wrote(s.sums)}" + "}" for s, left, _ in path(levels, user)
    )
    table = f'id,balances,proof,audit_id\nuser-{user},{wrote(held[user])},"[{steps}]",AUD-1\n'
    top = levels[-1][0]
    variables = {"root_hash": top.hash, "root_balances": wrote(top.sums), "hash_algorithm": "sha256"}
    files = {"proof.csv": table.encode(), "var.json": dump(variables)}
    return Built(files, top.hash, shown(held[user]), shown(top.sums))


@builds("swissborg")
def swissborg(balances: Balances, user: int) -> Built:
    def chain(key: str, text: str) -> str:
        return hmac.new(key.encode(), f"SB PoL - {text}".encode(), "sha256").hexdigest()

    partitions: list[dict[str, Any]] = []
    liabilities = []
    for coin in sorted(balances[0]):

        def leaf(number, coin=coin):
            tree_nonce = chain(
                chain(f"cred{number}", "Audit nonce derivation,A1"), f"Currency Merkle tree nonce derivation,{coin}"
            )
            nonce = chain(tree_nonce, f"Leaf nonce derivation,{number}")
            amount = balances[number][coin]
            return Node(h(f"leaf,{nonce},user{number},{text8(amount)}"), {coin: amount})

        def join(left, right, height, coin=coin):
            return Node(h(f"inner,{strip(left.sums[coin])},{strip(right.sums[coin])},{left.hash},{right.hash}"),
                        add(left.sums, right.sums))  # fmt: skip

        leaves = [leaf(number) for number in range(len(balances))]
        width = max(2, 1 << (len(leaves) - 1).bit_length())
        leaves += [Node(h(f"dummy {k}"), {coin: Decimal(0)}) for k in range(width - len(leaves))]
        levels = grow(leaves, join, lambda node: None)
        top = levels[-1][0]
        partitions.append({"id": f"A1-{coin}", "currency": coin,
                           "commitment": {"digest": top.hash, "liability": strip(top.sums[coin])}})  # fmt: skip
        witnesses = [{"digest": s.hash, "liability": strip(s.sums[coin])} for s, _, _ in path(levels, user)]
        proof = {"leaf_index": user, "nonce": leaves[user].hash, "witnesses": witnesses}
        liabilities.append(
            {"audit_partition_id": f"A1-{coin}", "liability": text8(balances[user][coin]), "proof": proof}
        )
    message = "SB PoL - Audit commitment hash" + "".join(
        f",{p['id']},{p['commitment']['liability']},{p['commitment']['digest']}" for p in partitions
    )
    audit = {"audit": {"id": "A1", "commitment": {"digest": h(message)}, "partitions": partitions}}
    mine = {"audit_id": "A1", "user_id": f"user{user}", "liabilities": liabilities}
    files = {"mine.json": dump(mine), "roots.json": dump(audit)}
    totals = {p["currency"]: p["commitment"]["liability"] for p in partitions}
    return Built(files, h(message), shown(balances[user]), totals, facts={"credential": f"cred{user}"})


def plain(leaf, node, odd=lambda node: None):
    def grown(balances: Balances):
        leaves = [Node(leaf(u, b), {}) for u, b in enumerate(balances)]
        return grow(leaves, lambda left, right, height: Node(node(left.hash, right.hash), {}), odd)

    return grown


def bytes_node(left: str, right: str) -> str:
    return h(raw(left, right))


@builds("flipster")
def flipster(balances: Balances, user: int) -> Built:
    levels = plain(lambda u, b: h("".join(f"|{c}:{strip(v)}" for c, v in b.items())), bytes_node, lambda node: node)(
        balances
    )
    value = {
        "leaf_index": user,
        "assets": [{"currency": c, "balance": strip(v)} for c, v in balances[user].items()],
        "root": levels[-1][0].hash,
        "proofs": [base64.b64encode(raw(s.hash)).decode() for s, _, _ in path(levels, user)],
    }
    return Built({"p.json": dump(value)}, levels[-1][0].hash, shown(balances[user]))


@builds("bitbase")
def bitbase(balances: Balances, user: int) -> Built:
    coins = ("BTC", "ETH", "USDT", "USDC")

    def payload(u, b):
        said = "|".join(f"{c}={text8(b.get(c, Decimal(0)))}" for c in coins)
        return f"POR_V1|auditId=7|recordId={h(f'r{u}')}|{said}"

    levels = plain(lambda u, b: h(payload(u, b)), lambda left, right: h(left + right), lambda node: node)(balances)
    own = {c: balances[user].get(c, Decimal(0)) for c in coins}
    value = {
        "version": "POR_V1", "auditId": 7, "recordId": h(f"r{user}"), "balances": {c: text8(v) for c, v in own.items()},
        "leafPayload": payload(user, balances[user]), "leafHash": levels[0][user].hash, "rootHash": levels[-1][0].hash,
        "proof": [{"hash": s.hash, "position": "LEFT" if left else "RIGHT"} for s, left, _ in path(levels, user)],
    }  # fmt: skip
    return Built({"p.json": dump(value)}, levels[-1][0].hash, shown(own))


@builds("bingx")
def bingx(balances: Balances, user: int) -> Built:
    def leaf(u, b):
        return h(f"{h(str(1000 + u))},{','.join(f'{c}:{strip(v)}' for c, v in b.items())},Total:99.5")

    levels = plain(leaf, lambda left, right: h(left + right))(balances)
    steps = ",".join(f"{'l' if left else 'r'}:{s.hash}" for s, left, _ in path(levels, user))
    value = {"uid": str(1000 + user), "balances": shown(balances[user]), "total": "99.5", "path": steps}
    return Built({"p.json": dump({**value, "root": levels[-1][0].hash})}, levels[-1][0].hash, shown(balances[user]))


@builds("pionex")
def pionex(balances: Balances, user: int) -> Built:
    def leaf(u, b):
        record = hmac.new(secret(u).encode(), f"PR1,u{u}".encode(), "sha256").hexdigest()
        return h(f"{record},{','.join(f'{c}:{strip(v)}' for c, v in sorted(b.items()))},Total:12.5")

    levels = plain(leaf, bytes_node, lambda node: node)(balances)
    width = [1 << (len(levels) - 1 - k) for k in range(len(levels) - 1)]
    steps = ",".join(f"{width[k] + place}:{s.hash}" for k, (s, _, place) in enumerate(path(levels, user)))
    value = {"proofId": "PR1", "userId": f"u{user}", "nonce": secret(user), "balances": shown(balances[user])}
    value |= {"total": "12.5", "path": steps, "root": levels[-1][0].hash}
    return Built({"p.json": dump(value)}, levels[-1][0].hash, shown(balances[user]))


@builds("topone")
def topone(balances: Balances, user: int) -> Built:
    levels = plain(lambda u, b: h(f"{h(f'User{u}')},USDT:{strip(b['USDT'])}"), bytes_node)(balances)
    steps = [f"{int(not left)}{s.hash}" for s, left, _ in path(levels, user)]
    own = {"USDT": balances[user]["USDT"]}
    value = {"uid": f"User{user}", "balances": shown(own), "path": steps, "root": levels[-1][0].hash}
    return Built({"p.json": dump(value)}, levels[-1][0].hash, shown(own))


@builds("silver-sixpence")
def silver_sixpence(balances: Balances, user: int) -> Built:
    def leaf(u, b):
        return h(f"{h(f'id{u}')}{secret(u)[:8]}PR22NOV22{'|'.join(f'{c}={strip(v)}' for c, v in b.items())}")

    levels = plain(leaf, bytes_node)(balances)
    steps = [{"hash": s.hash, "side": "left" if left else "right"} for s, left, _ in path(levels, user)]
    value = {"id": h(f"id{user}"), "salt": secret(user)[:8], "audit": "PR22NOV22", "balances": shown(balances[user])}
    value |= {"path": steps, "root": levels[-1][0].hash}
    return Built({"p.json": dump(value)}, levels[-1][0].hash, shown(balances[user]))


@builds("bifinance")
def bifinance(balances: Balances, user: int) -> Built:
    levels = plain(lambda u, b: h(f"leaf{u}"), bytes_node, lambda node: node)(balances)
    depth = len(levels) - 1
    nodes, place = [], user
    for k, level in enumerate(levels[:-1]):
        for index in sorted({place & ~1, place | 1}):
            if not (index and level[index] == level[index - 1] and index % 2):
                nodes.append({"merkelLeaf": level[index].hash, "level": depth - k, "role": index % 2 + 1,
                              "parentMerkelLeaf": levels[k + 1][place // 2].hash, "auditId": "Au2"})  # fmt: skip
        place //= 2
    nodes.append({"merkelLeaf": levels[-1][0].hash, "level": 0, "role": 3, "auditId": "Au2"})
    me = {"merkelLeaf": levels[0][user].hash, "level": depth, "role": user % 2 + 1, "balances": shown(balances[user])}
    return Built({"p.json": dump({"path": nodes, "self": me})}, levels[-1][0].hash, shown(balances[user]))


@builds("maxwell-2014")
def maxwell(balances: Balances, user: int) -> Built:
    owed = [b["BTC"] for b in balances]
    leaves = [Node(h(f"u{u}|{strip(v)}|{secret(u)}"), {"sum": v}) for u, v in enumerate(owed)]
    leaves += [
        Node(h(f"dummy|0|{k}"), {"sum": Decimal(0)}) for k in range((1 << (len(leaves) - 1).bit_length()) - len(leaves))
    ]

    def join(left, right, height):
        sums = add(left.sums, right.sums)
        return Node(h(strip(sums["sum"]) + left.hash + right.hash), sums)

    levels = grow(leaves, join, lambda node: None)
    tree = {"data": {"user": f"u{user}", "sum": strip(owed[user]), "nonce": secret(user)}}
    for s, left, _ in path(levels, user):
        sibling = {"data": {"sum": strip(s.sums["sum"]), "hash": s.hash}}
        tree = {"data": None, "left": sibling if left else tree, "right": tree if left else sibling}
    top = levels[-1][0]
    root = {"root": {"sum": strip(top.sums["sum"]), "hash": top.hash}}
    files = {"p.json": dump({"partial_tree": tree}), "root.json": dump(root)}
    return Built(files, top.hash, {"sum": strip(owed[user])}, shown(top.sums))
