"""Find the user's own leaves in a published tree or list."""

import base64
import binascii
import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from verifier.inclusion import numbers, template
from verifier.inclusion.finding import Finding
from verifier.inclusion.recipe import Recipe
from verifier.inclusion.rows import Row
from verifier.inclusion.wire import MalformedError, read_text, show

_HEX64 = re.compile(r"[0-9a-f]{64}")
_LONGEST_NONCE = 1_000


class Mine:
    """What the user knows of their own entry; collects the leaves that are theirs."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, Row]] = []
        self.unbound: tuple[str, ...] = ()

    def see(self, row: Row, place: int) -> None:
        """Look at a leaf and keep it when it is the user's."""
        if self._is_mine(row, place):
            self.rows.append((place, row))

    def _is_mine(self, row: Row, place: int) -> bool:
        return False

    def faults(self) -> list[Finding]:
        """Say what is missing after the whole list was seen."""
        return []

    @property
    def asked(self) -> bool:
        """Whether the user told anything to look for."""
        return False


class ByHash(Mine):
    """The user's leaf, or the id in it, has one known hash."""

    def __init__(self, wanted: str, part: str = "") -> None:
        super().__init__()
        self.wanted, self.part = wanted, part

    def _is_mine(self, row: Row, place: int) -> bool:
        return (row.parts.get(self.part) if self.part else row.hash) == self.wanted

    def faults(self) -> list[Finding]:
        if not self.rows:
            return [Finding("leaf-not-found", f"your leaf {self.wanted} is not in this list")]
        if len(self.rows) > 1:
            return [Finding("duplicate-rows", f"your leaf stands {len(self.rows)} times in this list")]
        return []

    @property
    def asked(self) -> bool:
        return True


class ByKey(Mine):
    """The user's leaves are keyed with their amount and place (BitMEX, River); who owns nothing has none."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self.key = key

    def _is_mine(self, row: Row, place: int) -> bool:
        amount = row.amount if isinstance(row.amount, int) and row.amount < 2**64 else 0
        message = amount.to_bytes(8, "little") + place.to_bytes(8, "little")
        return hmac.digest(self.key, message, "sha256").hex() == row.hash

    @property
    def asked(self) -> bool:
        return True


class ByParts(Mine):
    """The user's entry is split over several leaves, each known by hash and balances (OKX v2)."""

    def __init__(self, wanted: Sequence[tuple[str, numbers.Balances]]) -> None:
        super().__init__()
        self.wanted = list(wanted)

    def _is_mine(self, row: Row, place: int) -> bool:
        return (row.hash, row.amount) in self.wanted

    def faults(self) -> list[Finding]:
        found, wanted = Counter(row.hash for _, row in self.rows), Counter(name for name, _ in self.wanted)
        if found == wanted:
            return []
        text = f"the tree holds {found.total()} of your {wanted.total()} leaves with your balances"
        return [Finding("leaf-not-found", text)]

    @property
    def asked(self) -> bool:
        return True


class ByLines(Mine):
    """The user owns so many lines from one line on (WEEX)."""

    def __init__(self, head: str, count: int) -> None:
        super().__init__()
        self.head, self.count = head, count

    def _is_mine(self, row: Row, place: int) -> bool:
        return bool(self.rows and len(self.rows) < self.count) or (not self.rows and row.parts["id"] == self.head)

    def faults(self) -> list[Finding]:
        if len(self.rows) == self.count:
            return []
        return [Finding("leaf-not-found", f"the list holds {len(self.rows)} of your {self.count} lines")]

    @property
    def asked(self) -> bool:
        return True


def mine_of(
    recipe: Recipe,
    header: Mapping[str, str],
    facts: Mapping[str, str],
    expected: Mapping[str, str],
    others: Sequence[Any],
) -> Mine:
    """Return what to look for: from `--fact` and `--expect`, or from the user's file that came along."""
    if recipe.name in ("okx-v2", "weex"):
        return next((_of_file(recipe, value) for value in others if _is_account(recipe, value)), Mine())
    rule = recipe.data.get("mine", {})
    if not {*rule.get("needs", ())} <= facts.keys() or len(expected) > rule.get("coins", len(expected)):
        return Mine()
    if recipe.data.get("special") == "bitmex":
        return ByKey(_leaf_key(facts, int(header["block_height"])))
    if "id" in rule:
        return ByHash(recipe.digest(facts["sentence"].encode()), "id")
    return ByHash(_leaf(recipe, rule["leaf"], facts, expected))


def is_account(value: Any) -> bool:
    """Say whether a file tells which leaves of a published list are one user's."""
    return is_okx_account(value) or (isinstance(value, dict) and "userHeadHash" in value)


def _is_account(recipe: Recipe, value: Any) -> bool:
    return is_account(value) and is_okx_account(value) == (recipe.name == "okx-v2")


def _of_file(recipe: Recipe, value: Mapping[str, Any]) -> Mine:
    if recipe.name == "weex":
        mine, read = _weex(value), {"userMerkleRoot", "userHeadHash", "n"}
    else:
        mine, read = _okx(recipe, value), {"hash", "nodes", "nonce", "totalBalances"}
        inner = {str(key) for node in value["nodes"] for key in node} - {"balances", "hash"}
        mine.unbound = tuple(sorted(f"nodes.{key}" for key in inner))
    mine.unbound = (*mine.unbound, *(key for key in value if key not in read))
    return mine


def _leaf(recipe: Recipe, rule: str, facts: Mapping[str, str], expected: Mapping[str, str]) -> str:
    if not expected and "units" not in facts:
        raise MalformedError("facts-missing", "the leaf holds your balances: give each with --expect COIN=AMOUNT")
    amounts = {coin: numbers.read_amount(text, f"--expect {coin}")[0] for coin, text in expected.items()}
    values: dict[str, template.Value] = dict(facts)
    values["own"] = numbers.write(amounts, recipe.own_style, expected)
    if "{units" in rule and "units" not in facts:
        units = [amount.scaleb(8) for amount in amounts.values()]
        if len(units) != 1 or units[0] != int(units[0]):
            raise MalformedError("facts-missing", "this list has one coin: give its balance with --expect")
        values["units"] = int(units[0])
    return recipe.digest(template.fill(rule, values))


def _leaf_key(facts: Mapping[str, str], height: int) -> bytes:
    """BitMEX: H(account nonce, height, account); River derives the account nonce from key, e-mail and uid."""
    try:
        if "nonce" in facts:
            return bytes.fromhex(facts["nonce"])
        if "account_key" in facts:
            uid = facts["uid"].strip()
            account = int.from_bytes(base64.b32decode(uid + "=" * (-len(uid) % 8)), "big")
            text = bytes.fromhex(facts["account_key"]) + facts["email"].encode() + account.to_bytes(8, "little")
            secret = hashlib.sha256(text).digest()
        elif "account_nonce" in facts:
            secret, account = bytes.fromhex(facts["account_nonce"]), int(facts["account"])
        else:
            raise MalformedError("facts-missing", "give --fact nonce= or --fact account_nonce= beside --fact account=")
        return hashlib.sha256(secret + height.to_bytes(8, "little") + account.to_bytes(8, "little")).digest()
    except (ValueError, OverflowError, binascii.Error) as error:
        raise MalformedError("malformed", "the account, nonce or key given with --fact is not in its form") from error


def is_okx_account(value: Any) -> bool:
    """Say whether a file is a user's list of leaves in OKX's published tree."""
    return isinstance(value, dict) and value.keys() >= {"hash", "nodes", "nonce", "totalBalances"}


def _okx(recipe: Recipe, value: Mapping[str, Any]) -> Mine:
    nodes, coins = value["nodes"], recipe.data["rows"]["coins"]
    nonce = read_text(value["nonce"], "nonce", _LONGEST_NONCE)
    if not isinstance(nodes, list) or not 0 < len(nodes) <= 10_000:
        raise MalformedError("malformed", "nodes: expected your leaves")
    total, texts = _okx_balances(value["totalBalances"], coins)
    written = "{" + ",".join(f'"{coin}":"{texts[coin]}"' for coin in coins) + "}"
    if recipe.digest(f"{nonce}{written}".encode()) != value["hash"]:
        raise MalformedError("leaf-differs", "the hash in your file is not that of your nonce and total balances")
    wanted: list[tuple[str, numbers.Balances]] = []
    added: numbers.Balances = dict.fromkeys(coins, Decimal(0))
    for node in nodes:
        balances, texts = _okx_balances(node.get("balances") if isinstance(node, dict) else None, coins)
        leaf = recipe.digest((value["hash"] + "".join(texts[coin] for coin in coins)).encode())
        if leaf != node.get("hash"):
            raise MalformedError("leaf-differs", "a leaf in your file is not that of its balances")
        wanted.append((leaf, balances))
        added = numbers.add(added, balances)
    if added != total:
        raise MalformedError("totals-differ", "your leaves do not add up to your total balances")
    return ByParts(wanted)


def _okx_balances(value: Any, coins: Sequence[str]) -> tuple[numbers.Balances, dict[str, str]]:
    if not isinstance(value, dict) or value.keys() != {*coins}:
        raise MalformedError("coins-differ", f"expected balances of {', '.join(coins)}")
    found = numbers.read_balances(value.items(), "balances")
    if min(amount for amount, _ in found.values()) < 0:
        raise MalformedError("negative-balance", "a balance is negative; that hides what others own")
    return {coin: found[coin][0] for coin in coins}, {coin: text for coin, (_, text) in found.items()}


def _weex(value: Mapping[str, Any]) -> Mine:
    head, count = value.get("userHeadHash"), value.get("n")
    if not isinstance(head, str) or type(count) is not int or not 0 < count <= 10**7:
        raise MalformedError("malformed", f"metadata: userHeadHash {show(head)}, n {show(count)}")
    return ByLines(head, count)
