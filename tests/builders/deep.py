"""A path of any depth without the tree around it: what the largest exchanges' users hold."""

import json

from tests.builders.accounts import accounts
from tests.builders.tree import Node, add, h, strip


def deep_okx_proof(levels: int) -> str:
    """Return an OKX v1 proof of so many levels, as JSON."""
    owed = accounts("okx-v1", 1)[0]
    node = Node(h("n" + "{" + ",".join(f'"{c}":"{strip(v)}"' for c, v in owed.items()) + "}"), owed)
    me = {"balances": {c: strip(v) for c, v in owed.items()}, "type": 1, "hash": node.hash, "height": 1, "nonce": "n"}
    steps = []
    for height in range(1, levels + 1):
        steps.append({"balances": me["balances"], "type": 2, "hash": h(f"{height}"), "height": height})
        sums = add(node.sums, owed)
        node = Node(h(node.hash + h(f"{height}") + "".join(strip(v) for v in sums.values()) + str(height + 1)), sums)
    balances = {c: strip(v) for c, v in node.sums.items()}
    root = {"balances": balances, "type": 3, "hash": node.hash, "height": levels + 1}
    return json.dumps({"path": [*steps, root], "self": me})
