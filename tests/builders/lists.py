"""Published trees and leaf lists in every format that publishes the whole."""

import hmac
import json
from decimal import Decimal
from hashlib import sha1, sha256

from tests.builders.paths import BUILDERS, Balances, Built, builds, dump, quoted, secret, shown
from tests.builders.tree import Node, add, copy_of, grow, h, raw, strip

LISTS = ("okx-v2", "bitmex-file", "river", "renrenbit", "bifubao", "tnf-default", "tnf-concatenate", "gate-v1", "bitso",
         "weex", "blocpal", "cakedefi")  # fmt: skip


def sat(balances: dict[str, Decimal]) -> int:
    return int(balances["BTC"].scaleb(8))


def le(number: int) -> bytes:
    return number.to_bytes(8, "little")


@builds("okx-v2")
def okx_v2(balances: Balances, user: int) -> Built:
    cents = Decimal("0.00000001")
    leaves, mine = [], []
    for u, owed in enumerate(balances):
        account = h(secret(u) + quoted(owed))
        halves = [{c: (v / 2).quantize(cents, rounding="ROUND_DOWN") for c, v in owed.items()}]
        halves.append({c: v - halves[0][c] for c, v in owed.items()})
        for part in halves:
            leaves.append(Node(h(account + "".join(strip(v) for v in part.values())), part))
        if u == user:
            mine = [{"balances": shown(leaf.sums), "hash": leaf.hash} for leaf in leaves[-2:]]
            info = {"hash": account, "nodes": mine, "nonce": secret(u), "totalBalances": shown(owed)}

    def join(left, right, height):
        sums = add(left.sums, right.sums)
        return Node(h(left.hash + right.hash + "".join(strip(v) for v in sums.values()) + str(height)), sums)

    levels = grow(leaves, join, copy_of)
    lines = [
        f"{node.hash},{height},{json.dumps(shown(node.sums), separators=(',', ':'))}"
        for height, level in reversed(list(enumerate(levels, 1)))
        for node in reversed(level)
    ]
    files = {"tree.txt": "\n".join(lines).encode(), "user.json": dump(info)}
    top = levels[-1][0]
    return Built(files, top.hash, shown(balances[user]), shown(top.sums))


def bitmex(facts):
    def build(balances: Balances, user: int) -> Built:
        owed = [sat(b) for b in balances]
        split = [(u, part) for u, total in enumerate(owed) for part in (total // 3, total - total // 3)]
        width = 1 << (len(split) - 1).bit_length()
        split += [(-1, 0)] * (width - len(split))
        leaves = []
        for place, (u, amount) in enumerate(split):
            key = sha256(facts(u)[1] + le(100) + le(max(u, 0))).digest()
            leaves.append(Node(hmac.new(key, le(amount) + le(place), "sha256").hexdigest(), {"sat": Decimal(amount)}))

        def join(left, right, height):
            amounts = [int(node.sums["sat"]) for node in (left, right)]
            message = raw(left.hash) + le(amounts[0]) + raw(right.hash) + le(amounts[1])
            return Node(h(message), add(left.sums, right.sums))

        levels = grow(leaves, join, lambda node: None)
        lines = [f"{node.hash},{node.sums['sat']}" for level in reversed(levels) for node in level]
        text = "\n".join(["block_height:100", *lines]) + "\n"
        top = levels[-1][0]
        return Built(
            {"tree.csv": text.encode()}, top.hash, {"sat": str(owed[user])}, shown(top.sums), facts=facts(user)[0]
        )

    return build


def bitmex_facts(u):
    nonce = sha256(f"n{u}".encode()).digest()
    return {"account": str(u), "account_nonce": nonce.hex()}, nonce


def river_facts(u):
    import base64

    key = sha256(f"k{u}".encode()).digest()
    uid = base64.b32encode(bytes([max(u, 0)])).decode().rstrip("=")
    nonce = sha256(key + f"u{u}@x.org".encode() + le(max(u, 0))).digest()
    return {"account_key": key.hex(), "email": f"u{u}@x.org", "uid": uid}, nonce


BUILDERS["bitmex-file"] = bitmex(bitmex_facts)
BUILDERS["river"] = bitmex(river_facts)


@builds("renrenbit")
def renrenbit(balances: Balances, user: int) -> Built:
    leaves = [Node(h(f"{1000 + u}{7 + u}{sat(b)}", 16), {"sat": Decimal(sat(b))}) for u, b in enumerate(balances)]

    def join(left, right, height):
        sums = add(left.sums, right.sums)
        return Node(h(f"{sums['sat']}{left.hash}{right.hash}", 16), sums)

    levels = grow(leaves, join, lambda node: Node(h("empty", 16), {"sat": Decimal(0)}))
    text = "".join(f"{k},{node.sums['sat']},{node.hash}\n" for k, level in enumerate(levels) for node in level)
    facts = {"uid": str(1000 + user), "nonce": str(7 + user)}
    top = levels[-1][0]
    own = {"sat": str(sat(balances[user]))}
    expected = {"BTC": strip(balances[user]["BTC"])}
    return Built({"tree.csv": text.encode()}, top.hash, own, shown(top.sums), facts=facts, expected=expected)


@builds("bifubao")
def bifubao(balances: Balances, user: int) -> Built:
    owed = {u: sat(b) for u, b in enumerate(balances)}
    nodes = {u: Node(h(f"{h(str(u), 32)}{v:016d}", 16), {"sat": Decimal(v)}) for u, v in owed.items()}
    leaves = sorted(nodes.values(), key=lambda node: node.hash)

    def join(left, right, height):
        sums = add(left.sums, right.sums)
        return Node(h(le(int(sums["sat"])) + raw(left.hash, right.hash), 16), sums)

    padding = []

    def odd(node):
        padding.append(int(node.sums["sat"]))
        return node

    levels = grow(leaves, join, odd)
    rows = [(k, node) for k, level in enumerate(levels) for node in level]
    text = "".join(f"{n}\t{k}\t{node.sums['sat']}\t{node.hash}\n" for n, (k, node) in enumerate(rows))
    text += f"{len(balances)}\t{sum(owed.values())}\t{sum(padding)}\t{len(levels) - 1}\n"
    top = levels[-1][0]
    return Built({"tree.txt": text.encode()}, top.hash, {"sat": str(owed[user])}, shown(top.sums),
                 facts={"uid": h(str(user), 32)}, expected={"BTC": strip(balances[user]["BTC"])})  # fmt: skip


def leaf_list(leaf, fact, known, alone=False):
    def build(balances: Balances, user: int) -> Built:
        hashes = [h(leaf(u, b), 16) for u, b in enumerate(balances)]

        def join(left, right, height):
            return Node(h(raw(left.hash, right.hash)), {})

        levels = grow([Node(text, {}) for text in hashes], join, lambda node: None)
        rows = "".join(f"{len(levels)},{k}\t{text}\r\n" for k, text in enumerate(hashes))
        expected = {c: v for c, v in shown(balances[user]).items() if c == "USDT" or not alone}
        return Built({"list.txt": f"Level\tHash\r\n{rows}".encode()}, levels[-1][0].hash, expected,
                     facts={fact: known(user)}, expected=expected)  # fmt: skip

    return build


def two_hashes(u, amounts):
    return h(f"id{u}") + h(amounts)


BUILDERS["tnf-default"] = leaf_list(
    lambda u, b: two_hashes(u, "".join(strip(v) for v in b.values())), "uid", lambda u: f"id{u}"
)
BUILDERS["tnf-concatenate"] = leaf_list(
    lambda u, b: f"id{u}," + ",".join(f"{c}:{strip(v)}" for c, v in b.items()), "uid", lambda u: f"id{u}"
)
BUILDERS["gate-v1"] = leaf_list(
    lambda u, b: two_hashes(u, format(b["USDT"], ".8f")), "uid", lambda u: f"id{u}", alone=True
)
BUILDERS["bitso"] = leaf_list(
    lambda u, b: f"acc{u}" + "".join(h(strip(v)) for _, v in sorted(b.items())), "account", lambda u: f"acc{u}"
)


@builds("weex")
def weex(balances: Balances, user: int) -> Built:
    lines = [f"{h(f'{u} {part}')},{strip(b['USDT'])}" for u, b in enumerate(balances) for part in range(2)]
    levels = grow([Node(h(line), {}) for line in lines], lambda left, right, k: Node(h(left.hash + right.hash), {}),
                  lambda node: node)  # fmt: skip
    own = {"total": strip(2 * balances[user]["USDT"])}
    metadata = {"userMerkleRoot": levels[-1][0].hash, "userFileCount": 1, "platformMerkleRoot": "",
                "platformFileCount": 0, "userHeadHash": h(f"{user} 0"), "userId": str(user), "n": 2}  # fmt: skip
    files = {"por_USER_BTC_1_1-x": "\n".join(["POR[user]", *lines]).encode() + b"\n", "metadata": dump(metadata)}
    return Built(files, levels[-1][0].hash, own, {"total": strip(2 * sum(b["USDT"] for b in balances))})


@builds("blocpal")
def blocpal(balances: Balances, user: int) -> Built:
    rows = [
        f"{h(f'sentence {u}')},{' : '.join(f'{strip(v)} {c}' for c, v in b.items())}" for u, b in enumerate(balances)
    ]
    levels = grow([Node(h(row), {}) for row in rows], lambda left, right, k: Node(h(raw(left.hash, right.hash)), {}),
                  lambda node: None)  # fmt: skip
    totals: dict[str, Decimal] = {}
    for owed in balances:
        totals = add(totals, owed)
    said = ",".join(f"{v:.8f} {c}" for c, v in totals.items())
    head = (
        f"BlocPalX proof of reserves merkle tree file\r\nProof id: 1 June 2023\r\nRoot hash: {levels[-1][0].hash}\r\n"
    )
    head += f"Balance totals: {said}\r\nproofSentenceHash,proofBalanceString,proofRewardCode\r\n"
    text = head + "".join(f"{row},code{u}\r\n" for u, row in enumerate(rows))
    facts = {"sentence": f"sentence {user}"}
    return Built({"list.txt": text.encode()}, levels[-1][0].hash, shown(balances[user]), shown(totals), facts=facts)


@builds("cakedefi")
def cakedefi(balances: Balances, user: int) -> Built:
    def node(assets, left=None, right=None, name=""):
        content = json.dumps([assets, left and left["hash"], right and right["hash"]], separators=(",", ":"))
        text = sha1((name or content).encode()).hexdigest()
        return {"hash": text, "assets": assets, "left": left, "right": right}

    level = [node({"wallet": shown(b)}, name=f"leaf {u}") for u, b in enumerate(balances)]
    mine = level[user]["hash"]
    while len(level) > 1:
        above = []
        for left, right in zip(level[::2], level[1::2], strict=False):
            amounts = [{c: Decimal(v) for c, v in one["assets"]["wallet"].items()} for one in (left, right)]
            above.append(node({"wallet": shown(add(*amounts))}, left, right))
        level = above + ([level[-1]] if len(level) % 2 else [])
    return Built({"tree.json": dump(level[0])}, level[0]["hash"], shown(balances[user]), level[0]["assets"]["wallet"],
                 facts={"leaf": mine})  # fmt: skip
