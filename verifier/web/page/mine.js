// Find the user's own leaves in a published tree or list, by what the user knows of their entry.

import { addBalances, readAmount, readBalances, sameAmounts, sameKeys, writeBalances } from "./amounts.js";
import { fromHex, joined, littleEndian, toHex, utf8 } from "./bytes.js";
import { ZERO } from "./decimal.js";
import { Malformed, finding } from "./faults.js";
import { isObject } from "./json.js";
import { isAccount, isOkxAccount } from "./loading.js";
import { hashOf } from "./path.js";
import { hmac, sha256 } from "./sha256.js";
import { ascii, show } from "./show.js";
import { digest, fill } from "./template.js";
import { readText } from "./wire.js";

const MAX_NONCE_BYTES = 1000;
const MAX_LINES = 10_000_000n;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

// Collects the leaves that are the user's: `see` each leaf, then `faults` says what is missing.
class Mine {
  constructor({ asked = true, isMine = () => false, faults = () => [], count = null, unbound = [] } = {}) {
    Object.assign(this, { asked, isMine, faults, count, unbound, rows: [] });
  }

  see(row, place) {
    if (this.isMine(row, place, this.rows)) this.rows.push({ place, row });
  }
}

export function mineOf(name, recipe, header, question, others) {
  const { facts, expected } = question;
  if (["okx-v2", "weex"].includes(name)) {
    const value = others.find((one) => isAccount(one) && isOkxAccount(one) === (name === "okx-v2"));
    return value === undefined ? new Mine({ asked: false }) : byFile(name, recipe, value);
  }
  const rule = recipe.mine ?? {};
  const known = (rule.needs ?? []).every((fact) => facts.has(fact));
  if (!known || expected.size > (rule.coins ?? expected.size)) return new Mine({ asked: false });
  if (recipe.special === "bitmex") return byKey(leafKey(facts, BigInt(header.get("block_height"))));
  if (rule.id !== undefined) return byHash(digest(hashOf(recipe), utf8(facts.get("sentence"))), "id");
  return byHash(expectedLeaf(recipe, rule.leaf, facts, expected), null);
}

// The user's leaf, or the id in it, has one known hash.
function byHash(wanted, part) {
  const mine = new Mine({ isMine: (row) => (part ? row.parts.get(part) : row.hash) === wanted });
  mine.faults = () => {
    if (!mine.rows.length) return [finding("leaf-not-found", `your leaf ${wanted} is not in this list`)];
    if (mine.rows.length === 1) return [];
    return [finding("duplicate-rows", `your leaf stands ${mine.rows.length} times in this list`)];
  };
  return mine;
}

// The user's leaves are keyed with their amount and place (BitMEX, River); who owns nothing has none.
function byKey(key) {
  const isMine = ({ hash, amount }, place) => {
    const units = typeof amount === "bigint" && amount < 1n << 64n ? amount : 0n;
    return toHex(hmac(key, joined([littleEndian(units, 8), littleEndian(BigInt(place), 8)]))) === hash;
  };
  return new Mine({ isMine });
}

function byFile(name, recipe, value) {
  const mine = name === "weex" ? byLines(value) : byParts(okxLeaves(recipe, value));
  const read = name === "weex" ? ["userMerkleRoot", "userHeadHash", "n"] : ["hash", "nodes", "nonce", "totalBalances"];
  const inner = name === "weex" ? [] : value.get("nodes").flatMap((node) => [...node.keys()]);
  const extra = new Set(inner.filter((key) => !["balances", "hash"].includes(key)).map((key) => `nodes.${key}`));
  mine.unbound = [...[...extra].sort(), ...[...value.keys()].filter((key) => !read.includes(key))];
  return mine;
}

// The user owns so many lines from one line on (WEEX).
function byLines(value) {
  const [head, count] = [value.get("userHeadHash"), value.get("n") ?? null];
  if (typeof head !== "string" || typeof count !== "bigint" || count <= 0n || count > MAX_LINES) {
    throw new Malformed("malformed", `metadata: userHeadHash ${show(head)}, n ${show(count)}`);
  }
  const mine = new Mine({
    count: Number(count),
    isMine: (row, place, rows) => (rows.length ? rows.length < count : row.parts.get("id") === head),
  });
  mine.faults = () =>
    mine.rows.length === mine.count
      ? []
      : [finding("leaf-not-found", `the list holds ${mine.rows.length} of your ${count} lines`)];
  return mine;
}

// The user's entry is split over several leaves, each known by hash and balances (OKX v2).
function byParts(wanted) {
  const isPart = (row) =>
    wanted.some(
      ({ hash, balances }) =>
        row.hash === hash &&
        row.amount instanceof Map &&
        sameKeys(row.amount, balances) &&
        sameAmounts(row.amount, balances),
    );
  const mine = new Mine({ isMine: isPart });
  const hashes = (leaves) =>
    leaves
      .map(({ hash }) => hash)
      .sort()
      .join();
  mine.faults = () =>
    hashes(mine.rows.map(({ row }) => row)) === hashes(wanted)
      ? []
      : [
          finding(
            "leaf-not-found",
            `the tree holds ${mine.rows.length} of your ${wanted.length} leaves with your balances`,
          ),
        ];
  return mine;
}

function okxLeaves(recipe, value) {
  const { coins } = recipe.rows;
  const nodes = value.get("nodes");
  const nonce = readText(value.get("nonce"), "nonce", MAX_NONCE_BYTES);
  if (!Array.isArray(nodes) || !nodes.length || nodes.length > 10_000) {
    throw new Malformed("malformed", "nodes: expected your leaves");
  }
  const total = okxBalances(value.get("totalBalances"), coins);
  const written = `{${coins.map((coin) => `"${coin}":"${total.texts.get(coin)}"`).join(",")}}`;
  if (digest(hashOf(recipe), utf8(nonce + written)) !== value.get("hash")) {
    throw new Malformed("leaf-differs", "the hash in your file is not that of your nonce and total balances");
  }
  let added = new Map(coins.map((coin) => [coin, ZERO]));
  const wanted = nodes.map((node) => {
    const { amounts, texts } = okxBalances(isObject(node) ? node.get("balances") : null, coins);
    const hash = digest(hashOf(recipe), utf8(value.get("hash") + coins.map((coin) => texts.get(coin)).join("")));
    if (hash !== node.get("hash"))
      throw new Malformed("leaf-differs", "a leaf in your file is not that of its balances");
    added = addBalances(added, amounts);
    return { hash, balances: amounts };
  });
  if (!sameAmounts(added, total.amounts)) {
    throw new Malformed("totals-differ", "your leaves do not add up to your total balances");
  }
  return wanted;
}

function okxBalances(value, coins) {
  if (!isObject(value) || value.size !== coins.length || !coins.every((coin) => value.has(coin))) {
    throw new Malformed("coins-differ", `expected balances of ${coins.join(", ")}`);
  }
  const found = readBalances(value, "balances");
  if ([...found.amounts.values()].some((amount) => amount.isNegative)) {
    throw new Malformed("negative-balance", "a balance is negative; that hides what others own");
  }
  return found;
}

function expectedLeaf(recipe, rule, facts, expected) {
  if (!expected.size && !facts.has("units")) {
    throw new Malformed("facts-missing", "the leaf holds your balances: give each with --expect COIN=AMOUNT");
  }
  const amounts = new Map([...expected].map(([coin, text]) => [coin, readAmount(text, `--expect ${coin}`).amount]));
  const values = new Map([...facts, ["own", writeBalances(amounts, recipe.own ?? {}, expected)]]);
  if (rule.includes("{units") && !facts.has("units")) values.set("units", unitsOf(amounts));
  return digest(hashOf(recipe), fill(rule, values));
}

function unitsOf(amounts) {
  const units = [...amounts.values()].map((amount) => amount.shifted(8));
  if (units.length !== 1 || !units[0].equals(units[0].cut(0))) {
    throw new Malformed("facts-missing", "this list has one coin: give its balance with --expect");
  }
  return units[0].cut(0).digits;
}

// BitMEX: H(account nonce, height, account); River derives the account nonce from key, e-mail and uid.
function leafKey(facts, height) {
  try {
    if (facts.has("nonce")) return fromHex(facts.get("nonce"));
    const { secret, account } = accountOf(facts);
    return sha256(joined([secret, littleEndian(height, 8), littleEndian(account, 8)]));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Malformed("malformed", "the account, nonce or key given with --fact is not in its form");
  }
}

function accountOf(facts) {
  if (facts.has("account_key")) {
    const account = fromBase32(facts.get("uid").trim());
    const parts = [fromHex(facts.get("account_key")), utf8(facts.get("email")), littleEndian(account, 8)];
    return { secret: sha256(joined(parts)), account };
  }
  if (!facts.has("account_nonce")) {
    throw new Malformed("facts-missing", "give --fact nonce= or --fact account_nonce= beside --fact account=");
  }
  if (!/^\s*\+?[0-9]+\s*$/.test(facts.get("account"))) throw new RangeError("not an account number");
  return { secret: fromHex(facts.get("account_nonce")), account: BigInt(facts.get("account").trim().replace("+", "")) };
}

// The integer that RFC 4648 base32 writes; padding may be left off, its spare bits are not looked at.
function fromBase32(text) {
  const letters = text.replace(/=+$/, "");
  if ([1, 3, 6].includes(letters.length % 8) || [...letters].some((letter) => !BASE32.includes(letter))) {
    throw new RangeError(`${ascii(text)} is not base32`);
  }
  const bits = [...letters].reduce((value, letter) => (value << 5n) | BigInt(BASE32.indexOf(letter)), 0n);
  return bits >> BigInt((letters.length * 5) % 8);
}
