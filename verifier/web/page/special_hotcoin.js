// Hotcoin hashes lists of texts under a byte per kind of node, and publishes root and totals in a separate anchor.

import { anyAmount } from "./amounts.js";
import { balancesOf } from "./balances.js";
import { joined, utf8 } from "./bytes.js";
import { Malformed, OtherLayout, finding } from "./faults.js";
import { isObject, sameValue } from "./json.js";
import { readPath } from "./layout.js";
import { hashOf } from "./path.js";
import { digest } from "./template.js";

const PROTOCOL = "HOTCOIN-POR-SUM";
const SHOWN_KEYS = ["protocol", "snapshotId", "root", "userTotals"];
const ANCHOR_KEYS = [...SHOWN_KEYS, "assets", "leafCount"];
// leafIndex and leafCount fix the sides and where padding stands, the rest is hashed.
const BOUND = ["self.snapshotId", "self.leafIndex", "self.leafCount", "protocol", "assets"];

const hasKeys = (value, keys) => isObject(value) && keys.every((key) => value.has(key));
const listed = (kind, fields) => joined([Uint8Array.of(kind), utf8(JSON.stringify(fields))]);

export function readHotcoin(recipe, value, facts, companions) {
  if (!hasKeys(value, ["protocol", "assets", "self", "path"])) throw new OtherLayout("protocol");
  const own = value.get("self");
  if (!isObject(own) || value.get("protocol") !== PROTOCOL) throw new OtherLayout("protocol");
  const decimals = decimalsOf(value.get("assets"));
  const table = [...decimals].flatMap(([coin, places]) => [coin, String(places)]);
  const config = digest(hashOf(recipe), listed(3, [PROTOCOL, ...table]));
  const texts = new Map([
    ["protocol", PROTOCOL],
    ["config", config],
  ]);
  for (const name of ["snapshotId", "accountId", "nonce"])
    if (typeof own.get(name) === "string") texts.set(name, own.get(name));
  const encoded = [...texts].map(([name, text]) => [`${name}_json`, JSON.stringify(text)]);
  const proof = readPath(recipe, ordered(value, [...decimals.keys()]), new Map([...facts, ...encoded]));
  const padding = digest(hashOf(recipe), listed(2, [PROTOCOL, texts.get("snapshotId") ?? "", config]));
  const faults = [...proof.faults, ...placeFaults(own, proof, padding), ...amountFaults(decimals, proof)];
  const unbound = proof.unbound.filter((name) => !BOUND.includes(name));
  const anchor = companions.find((one) => hasKeys(one, SHOWN_KEYS));
  const found = { ...proof, faults, unbound };
  return [anchor ? againstAnchor(recipe, value, found, anchor) : found];
}

function decimalsOf(assets) {
  if (!Array.isArray(assets) || !assets.length || assets.length > 32) throw new OtherLayout("assets");
  const found = new Map();
  for (const asset of assets) {
    const coin = isObject(asset) ? asset.get("coin") : null;
    const places = isObject(asset) ? asset.get("decimals") : null;
    if (typeof coin !== "string" || typeof places !== "bigint" || places < 0n || places > 30n || found.has(coin)) {
      throw new Malformed("malformed", "assets: expected coin and decimals, each coin once");
    }
    found.set(coin, Number(places));
  }
  return found;
}

// Every entry's balances in the order of the asset table, which is the order that is hashed.
function ordered(value, coins) {
  const one = (entry) => {
    const balances = isObject(entry) ? entry.get("balances") : null;
    if (!isObject(balances) || balances.size !== coins.length || !coins.every((coin) => balances.has(coin))) {
      throw new Malformed("coins-differ", "an entry does not hold exactly the coins of the asset table");
    }
    return new Map([...entry, ["balances", new Map(coins.map((coin) => [coin, balances.get(coin)]))]]);
  };
  const path = value.get("path");
  if (!Array.isArray(path)) throw new OtherLayout("path");
  return new Map([...value, ["self", one(value.get("self"))], ["path", path.slice(0, 300).map(one)]]);
}

function* placeFaults(own, proof, padding) {
  let [index, width] = [own.get("leafIndex"), own.get("leafCount")];
  const inside =
    typeof index === "bigint" && typeof width === "bigint" && index >= 0n && index < width && width < 1n << 31n;
  if (!inside) {
    yield finding("index-beyond-tree", "leafIndex lies beyond leafCount");
    return;
  }
  for (const [number, { hash, balances, left }] of proof.steps.entries()) {
    if (width <= 1n) {
      yield finding("path-length", "the path is longer than a tree of so many leaves");
      return;
    }
    if (left !== Boolean(index & 1n)) {
      yield finding("side-differs", `step ${number + 1} stands on the wrong side for this leafIndex`);
    }
    if ((index ^ 1n) >= width && (hash !== padding || anyAmount(balances))) {
      yield finding("padding-carries-value", `step ${number + 1} lies beyond the last leaf and is not empty`);
    }
    [index, width] = [index / 2n, (width + 1n) / 2n];
  }
  if (width > 1n) yield finding("path-length", "the path is shorter than a tree of so many leaves");
}

function* amountFaults(decimals, proof) {
  for (const balances of [proof.own, ...proof.steps.map((one) => one.balances)]) {
    for (const [coin, amount] of balances) {
      if (-amount.exponent <= decimals.get(coin) && String(amount) === amount.plain()) continue;
      yield finding("non-canonical-number", `${amount} ${coin} is not in its one spelling`);
    }
  }
}

function againstAnchor(recipe, value, proof, anchor) {
  if (!hasKeys(anchor, ANCHOR_KEYS)) throw new Malformed("malformed", "the anchor lacks a part");
  const own = value.get("self");
  const pairs = [
    [own.get("snapshotId"), anchor.get("snapshotId")],
    [own.get("leafCount"), anchor.get("leafCount")],
    [value.get("assets"), anchor.get("assets")],
    [value.get("protocol"), anchor.get("protocol")],
  ];
  const text = "the anchor is of another snapshot, size or asset table";
  const faults = pairs.every(([left, right]) => sameValue(left, right)) ? [] : [finding("anchor-differs", text)];
  const totals = balancesOf(recipe, anchor.get("userTotals"), "userTotals").amounts;
  if (typeof anchor.get("root") !== "string") throw new Malformed("malformed", "the anchor's root is no text");
  return { ...proof, root: anchor.get("root"), rootSums: totals, faults: [...proof.faults, ...faults] };
}
