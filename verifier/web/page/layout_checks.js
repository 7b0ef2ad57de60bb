// What a path file says beside its hashes: sides, heights, spellings, repeated and unread fields.

import { sameBytes, utf8 } from "./bytes.js";
import { Decimal } from "./decimal.js";
import { Malformed, finding } from "./faults.js";
import { isObject } from "./json.js";
import { show } from "./show.js";
import { fill, namesIn } from "./template.js";

// Whether a value of a file equals one of a description; 1, 1.0 and true are one number, as on the command line.
export function equalsFact(value, fact) {
  if (typeof fact !== "number") return value === fact;
  if (typeof value === "boolean") return Number(value) === fact;
  if (value instanceof Decimal) return value.equals(Decimal.of(BigInt(fact)));
  return value === BigInt(fact);
}

const isOneOf = (value, facts) => facts.some((fact) => equalsFact(value, fact));

export function* sideFaults(recipe, ownSide, steps) {
  const { side } = recipe;
  const own = side.own ?? side;
  if (ownSide === undefined || ownSide === null || !("key" in side) || !steps.length) return;
  const standsLeft = typeof ownSide !== "boolean" && isOneOf(ownSide, own.left);
  if (standsLeft === steps[0].left || (!standsLeft && !isOneOf(ownSide, own.right))) {
    yield finding("side-differs", "your entry and its neighbour do not stand on opposite sides");
  }
}

export function* rootSide(recipe, root) {
  const { side } = recipe;
  if (side?.root === undefined || !isObject(root) || !root.has(side.key)) return;
  if (!equalsFact(root.get(side.key), side.root)) {
    yield finding("side-differs", "the last entry of the path is not called the root");
  }
}

export function* indexFaults(recipe, own, entries) {
  const key = recipe.side?.index;
  const index = key ? own.get(key) : undefined;
  if (typeof index === "bigint" && index >> BigInt(entries.length)) {
    yield finding("index-beyond-tree", `position ${index} lies beyond a tree of ${entries.length} levels`);
  }
}

// Return the user's own height, and what is wrong with the heights along the path.
export function heights(recipe, own, entries, root, steps) {
  const rule = recipe.height;
  if (rule === undefined) return { start: 1, faults: [] };
  const by = rule.step ?? 1;
  const start = rule.start ?? smallInteger(own.get(rule.key));
  if (start === null) throw new Malformed("malformed", `self.${rule.key}: ${show(own.get(rule.key))} is no height`);
  const faults = [];
  [own, ...entries.slice(0, steps.length), root].forEach((entry, number) => {
    const expected = number ? start + by * (number - 1) : start;
    const given = isObject(entry) ? (entry.get(rule.key) ?? null) : null;
    if (given !== null && (typeof given === "boolean" || !equalsFact(given, expected))) {
      faults.push(finding("height-differs", `${show(given)} stands as height where ${expected} belongs`));
    }
  });
  const end = start + by * steps.length;
  if ((rule.end ?? end) !== end) {
    faults.push(finding("height-differs", `the path ends at height ${end} and not at ${rule.end}`));
  }
  return { start, faults };
}

function smallInteger(value) {
  return typeof value === "bigint" && value >= -10000n && value <= 10000n ? Number(value) : null;
}

// Amounts that are hashed without separators must have their fixed number of decimals.
export function* spellingFaults(recipe, texts, scales) {
  const decimals = recipe.own_decimals;
  if (decimals === undefined) return;
  for (const [coin, text] of texts) {
    const wanted = decimals === "scales" ? (scales?.get(coin) ?? 8) : decimals;
    if ((text.split(".")[1] ?? "").length === wanted) continue;
    const said = `${text} ${coin} does not have ${wanted} decimals; unseparated, it could be read as another amount`;
    yield finding("non-canonical-number", said);
  }
}

// A field that repeats what others say must say the same.
export function* repeatFaults(recipe, value, fields) {
  for (const [key, rule] of Object.entries(recipe.layout?.repeats ?? {})) {
    if (!isObject(value) || !value.has(key)) continue;
    const said = value.get(key);
    if (typeof said !== "string" || !sameBytes(utf8(said), fill(rule, fields))) {
      yield finding("field-differs", `${key} does not say what the other fields say`);
    }
  }
}

// Name the keys of a file that nothing reads or hashes.
export function* unbound(recipe, value, own, entries, root) {
  const { side, layout = {} } = recipe;
  const common = new Set([layout.hash ?? "hash", layout.balances ?? "balances", side?.key, recipe.height?.key]);
  const used = new Set([...common, side?.index, layout.leaf_hash, layout.scales, "format"]);
  for (const rule of recipe.derive ?? []) namesIn(rule.text + (rule.key ?? "")).forEach((name) => used.add(name));
  namesIn(recipe.leaf ?? "").forEach((name) => used.add(name));
  Object.keys(layout.repeats ?? {}).forEach((name) => used.add(name));
  const tops = new Set(["self", "path", "root"].map((place) => (layout[place] ?? "").split("[")[0].split(".")[0]));
  const prefix = "self" in layout ? "self." : "";
  for (const key of own.keys()) if (!used.has(key) && (prefix || !tops.has(key))) yield prefix + key;
  if (prefix && isObject(value)) for (const key of value.keys()) if (!tops.has(key) && !used.has(key)) yield key;
  const extra = entries
    .filter(isObject)
    .flatMap((entry) => [...entry.keys()])
    .filter((key) => !common.has(key));
  yield* [...new Set(extra.map((key) => `path.${key}`))].sort();
  if (isObject(root)) for (const key of root.keys()) if (!common.has(key)) yield `root.${key}`;
}
