// Find the user's entry, the path and the root in a file, by the layout that a format's description states.

import { MAX_COINS, writeBalances } from "./amounts.js";
import { balancesOf } from "./balances.js";
import { fromBase64, toHex } from "./bytes.js";
import { Malformed, OtherLayout } from "./faults.js";
import { isObject } from "./json.js";
import {
  equalsFact,
  heights,
  indexFaults,
  repeatFaults,
  rootSide,
  sideFaults,
  spellingFaults,
  unbound,
} from "./layout_checks.js";
import { hashOf, padRule, pathProof, step } from "./path.js";
import { isPrintable, show } from "./show.js";
import { trimmed, wholePattern } from "./spaces.js";
import { digest, digestBits, fill, keyed, namesIn } from "./template.js";

export const MAX_STEPS = 256;
const MAX_TEXT = 10000;
const MAX_SHOWN_ID = 200;
const PLACE = /^([A-Za-z_.]*)(?:\[(-?[0-9]*)(:?)(-?[0-9]*)\])?$/;
const HEX = /^[0-9a-f]+$/;

export function readPath(recipe, value, facts) {
  const layout = recipe.layout ?? {};
  const own = "self" in layout ? objectAt(find(value, layout.self), "self") : objectAt(value, "the file");
  const entries = entriesOf(layout, find(value, layout.path));
  const root = "root" in layout ? find(value, layout.root, Boolean(layout.envelope)) : null;
  requireKeys(recipe, own);
  const fields = fieldsOf(recipe, own, value, facts);
  const key = layout.balances ?? "balances";
  const { amounts, texts } = balancesOf(recipe, own.has(key) ? own.get(key) : new Map(), "self");
  const steps = [...stepsOf(recipe, entries, own)];
  const written = writeBalances(amounts, recipe.own ?? {}, texts);
  const side = own.get(recipe.side?.key ?? "");
  const { start, faults } = heights(recipe, own, entries, root, steps);
  const proven = { leaf: ownHash(recipe, own), root: rootHash(recipe, root, facts), rootSums: rootSums(recipe, root) };
  const scales = scalesOf(recipe, own, root);
  return pathProof({
    ...proven,
    fields,
    own: amounts,
    ownTexts: texts,
    steps,
    scales,
    height: start,
    run: "run" in layout ? textOrNull(find(value, layout.run, true)) : null,
    account: "account" in layout ? textOrNull(find(value, layout.account, true)) : null,
    faults: [
      ...sideFaults(recipe, side, steps),
      ...indexFaults(recipe, own, entries),
      ...rootSide(recipe, root),
      ...faults,
      ...spellingFaults(recipe, texts, scales),
      ...repeatFaults(recipe, value, new Map([...fields, ["own", written]])),
    ],
    unbound: [...unbound(recipe, value, own, entries, root)],
  });
}

// What stands at a place such as `self.nonce`, `data[-1]` or `path[:-1]`.
function find(value, place, optional = false) {
  const [, keys, first, colon, last] = PLACE.exec(place);
  for (const key of keys.split(".").filter(Boolean)) {
    if (!isObject(value) || !value.has(key)) {
      if (optional) return null;
      throw new OtherLayout(place);
    }
    value = value.get(key);
  }
  if (first === undefined) return value;
  if (!Array.isArray(value) || !value.length) throw new OtherLayout(place);
  if (colon) return value.slice(first ? Number(first) : 0, last ? Number(last) : undefined);
  return value.at(Number(first));
}

function objectAt(value, where) {
  if (!isObject(value)) throw new OtherLayout(where);
  return value;
}

function requireKeys(recipe, own) {
  const layout = recipe.layout ?? {};
  const absent = (layout.requires ?? []).some((key) => !own.has(key));
  if (absent || (layout.forbids ?? []).some((key) => own.has(key))) throw new OtherLayout(recipe.title);
  const coins = own.get(layout.balances ?? "balances");
  const [low, high] = layout.coins ?? [0, MAX_COINS];
  const count = isObject(coins) ? coins.size : Array.isArray(coins) ? coins.length : null;
  if (count !== null && (count < low || count > high)) throw new OtherLayout(recipe.title);
}

function entriesOf(layout, path) {
  if (typeof path === "string") {
    if (path.length > MAX_STEPS * 100) throw new Malformed("too-long", "the path is too long");
    path = trimmed(path)
      .replace(/^[[\]]+|[[\]]+$/g, "")
      .split(",")
      .map(trimmed)
      .filter(Boolean);
  }
  if (!Array.isArray(path)) throw new OtherLayout("path");
  if (path.length > MAX_STEPS) {
    throw new Malformed("too-long", `the path has ${path.length} steps; at most ${MAX_STEPS} are read`);
  }
  return layout.step_pattern ? path.map((entry, number) => matched(entry, layout.step_pattern, number)) : path;
}

function matched(entry, pattern, number) {
  if (typeof entry !== "string") throw new OtherLayout("path");
  const match = wholePattern(pattern).exec(entry.slice(0, MAX_TEXT));
  if (!match) throw new Malformed("malformed", `path.${number}: ${show(entry)} is not a step of this format`);
  return new Map(Object.entries(match.groups));
}

function fieldsOf(recipe, own, value, facts) {
  const fields = new Map();
  for (const source of [facts, isObject(value) ? value : new Map(), own]) {
    for (const [name, entry] of source) {
      if (typeof entry !== "bigint" && !(typeof entry === "string" && entry.length <= MAX_TEXT)) continue;
      if (typeof entry === "string" && !isPrintable(entry)) {
        throw new Malformed("malformed", `${show(name)}: holds characters that cannot be printed`);
      }
      fields.set(name, entry);
    }
  }
  for (const rule of recipe.derive ?? []) {
    const needed = [...namesIn(rule.text), ...namesIn(rule.key ?? "")];
    if (needed.every((name) => fields.has(name))) fields.set(rule.name, derived(rule, fields));
  }
  const missing = [...namesIn(recipe.leaf ?? "")].filter((name) => name !== "own" && !fields.has(name));
  if (missing.length) throw new OtherLayout(missing[0]);
  return fields;
}

function derived(rule, fields) {
  const text = fill(rule.text, fields);
  return rule.key === undefined ? digest("sha256", text) : keyed(fill(rule.key, fields), text);
}

function hashIn(recipe, entry, where) {
  const value = entry.get(recipe.layout?.hash ?? "hash");
  if (typeof value !== "string") throw new Malformed("malformed", `${where}: the hash is missing`);
  return canonicalHash(recipe, value, where);
}

// A hash as the hex text that this format hashes; another length or spelling is malformed.
export function canonicalHash(recipe, value, where) {
  if (recipe.layout?.hash_encoding === "base64") value = hexOfBase64(value, where);
  const upper = hashOf(recipe).endsWith("^");
  const text = upper && value === value.toUpperCase() ? value.toLowerCase() : value;
  const digits = digestBits(hashOf(recipe)) / 4;
  if (text.length !== digits || !HEX.test(text)) {
    throw new Malformed("malformed", `${where}: expected a hash of ${digits} hex digits, found ${show(value)}`);
  }
  return upper ? value : text;
}

function hexOfBase64(value, where) {
  try {
    return toHex(fromBase64(value));
  } catch {
    throw new Malformed("malformed", `${where}: ${show(value)} is not base64`);
  }
}

function ownHash(recipe, own) {
  const layout = recipe.layout ?? {};
  const key = layout.leaf_hash ?? layout.hash ?? "hash";
  if (!own.has(key)) {
    if (layout.leaf_hash_may_be_absent || !key) return null;
    throw new OtherLayout(key);
  }
  if (typeof own.get(key) !== "string") throw new Malformed("malformed", `self.${key}: expected a hash`);
  return canonicalHash(recipe, own.get(key), `self.${key}`);
}

// The root that the file names, or the one that the user gave.
function rootHash(recipe, root, facts) {
  if (isObject(root)) return hashIn(recipe, root, "the root");
  const upper = hashOf(recipe).endsWith("^");
  if (typeof root !== "string") {
    const given = facts.get("root");
    return given === undefined ? null : upper ? given.toUpperCase() : given;
  }
  const oneCase = [root.toLowerCase(), root.toUpperCase()].includes(root);
  const lower = oneCase ? root.toLowerCase() : root;
  const text = upper ? lower.toUpperCase() : lower;
  if (4 * text.length !== digestBits(hashOf(recipe)) || !HEX.test(oneCase ? text.toLowerCase() : text)) {
    throw new Malformed("malformed", `the root: ${show(root)} is no hash of this format`);
  }
  return text;
}

function rootSums(recipe, root) {
  if (recipe.commits === "nothing" || !isObject(root)) return null;
  const key = recipe.layout?.balances ?? "balances";
  if (!root.has(key)) throw new Malformed("malformed", "the root's totals are missing");
  return balancesOf(recipe, root.get(key), "root").amounts;
}

function* stepsOf(recipe, entries, own) {
  const { side, layout = {} } = recipe;
  const index = own.has(side.index) ? own.get(side.index) : 0n;
  const empty = ["empty", "absent"].includes(padRule(recipe));
  const [hashKey, balancesKey] = [layout.hash ?? "hash", layout.balances ?? "balances"];
  for (const [number, entry] of entries.entries()) {
    const where = `path.${number}`;
    if (!isObject(entry)) throw new OtherLayout(where);
    const nothing = empty && (!entry.has(hashKey) || entry.get(hashKey) === "");
    const { left, pad } = sideOf(side, entry, index, number, nothing);
    const value = entry.has(balancesKey) ? entry.get(balancesKey) : new Map();
    const bare = value === null || recipe.commits === "nothing";
    const balances = bare ? new Map() : stepBalances(recipe, value, where, nothing);
    yield nothing ? step("", balances, left, true) : step(hashIn(recipe, entry, where), balances, left, pad);
  }
}

function stepBalances(recipe, value, where, nothing) {
  const empty = value === false || value === 0n || value.length === 0;
  try {
    return balancesOf(recipe, nothing && empty ? new Map() : value, where).amounts;
  } catch (error) {
    if (!(error instanceof OtherLayout)) throw error;
    throw new Malformed("malformed", `${where}: the balances are missing`);
  }
}

function sideOf(side, entry, index, number, nothing) {
  if ("index" in side) {
    if (typeof index !== "bigint" || index < 0n)
      throw new Malformed("malformed", `${show(index)} is no position of a leaf`);
    return { left: Boolean((index >> BigInt(number)) & 1n), pad: false };
  }
  const mark = entry.get(side.key) ?? null;
  if (nothing && mark === null) return { left: false, pad: true };
  const pads = side.pad ?? [];
  const isOneOf = (marks) => marks.some((known) => equalsFact(mark, known));
  if (typeof mark === "boolean" || !isOneOf([...side.left, ...side.right, ...pads])) {
    throw new Malformed("malformed", `path.${number}.${side.key}: ${show(mark)} is no side`);
  }
  return { left: isOneOf(side.left), pad: isOneOf(pads) };
}

function scalesOf(recipe, own, root) {
  const layout = recipe.layout ?? {};
  if (layout.scales === undefined) return undefined;
  const key = layout.balances ?? "balances";
  if (layout.scales === "@root") {
    // Each coin has as many decimals as its total.
    const { texts } = balancesOf(recipe, objectAt(root, "root").get(key) ?? null, "root");
    return new Map([...texts].map(([coin, text]) => [coin, (text.split(".")[1] ?? "").length]));
  }
  const table = own.get(layout.scales);
  const isScale = (value) => typeof value === "bigint" && value >= 0n && value <= 40n;
  if (!isObject(table) || ![...table.values()].every(isScale)) {
    throw new Malformed("malformed", `self.${layout.scales}: expected the decimals of each coin`);
  }
  const balances = own.get(key) ?? new Map();
  if (table.size !== balances.size || ![...table.keys()].every((coin) => balances.has(coin))) {
    throw new Malformed("coins-differ", `self.${layout.scales}: not the coins of the balances`);
  }
  return new Map([...table].map(([coin, places]) => [coin, Number(places)]));
}

function textOrNull(value) {
  return typeof value === "string" || typeof value === "bigint" ? String(value).slice(0, MAX_SHOWN_ID) : null;
}
