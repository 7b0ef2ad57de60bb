// cakedefi (Bake) publishes its whole tree as one nested JSON value; rebuild every node of it.

import { addBalances, readBalances, sameAmounts } from "./amounts.js";
import { utf8 } from "./bytes.js";
import { Malformed, OtherLayout, finding } from "./faults.js";
import { isObject } from "./json.js";
import { canonicalHash } from "./layout.js";
import { hashOf, pathProof } from "./path.js";
import { digest } from "./template.js";

const SHOWN_FAULTS = 5;

// A user's own leaf is looked for when the fact `leaf` names it.
export function readNested(recipe, value, facts) {
  const key = recipe.layout.hash;
  const keys = [key, "assets", "left", "right"];
  if (!isObject(value) || !keys.every((name) => value.has(name))) throw new OtherLayout("left");
  const root = canonicalHash(recipe, hashIn(value, key), "the root");
  const leaves = new Map();
  const faults = [];
  for (const node of nodesOf(value))
    if (faults.length < SHOWN_FAULTS) faults.push(...nodeFaults(recipe, node, key, leaves));
  const wanted = facts.get("leaf");
  if (wanted !== undefined && !leaves.has(wanted)) {
    faults.push(finding("leaf-not-found", `the leaf ${wanted} is not in this tree`));
  }
  const own = leaves.has(wanted) ? byCoin(leaves.get(wanted)) : new Map();
  const unbound = new Set(
    [...nodesOf(value)].flatMap((node) => [...node.keys()]).filter((name) => !keys.includes(name)),
  );
  return [
    pathProof({
      own,
      leaf: root,
      root,
      faults,
      rootSums: byCoin(assetsOf(value)),
      unbound: [...unbound].sort(),
      notes: [finding("rebuilt", `all ${leaves.size} leaves were rebuilt to the root`)],
      whole: wanted ?? "",
    }),
  ];
}

const child = (node, side) => node.get(side) ?? null;

function* nodesOf(root) {
  const waiting = [root];
  while (waiting.length) {
    const node = waiting.pop();
    if (!isObject(node)) throw new Malformed("malformed", "a node of the tree is no object");
    yield node;
    const children = [child(node, "left"), child(node, "right")];
    if (children.some((one) => one !== null)) waiting.push(...children);
  }
}

function* nodeFaults(recipe, node, key, leaves) {
  const name = canonicalHash(recipe, hashIn(node, key), "a node");
  const assets = assetsOf(node);
  for (const [coin, amount] of assets) {
    if (amount.isNegative) yield finding("negative-balance", `node ${name} holds ${amount.plain()} ${coin}`);
  }
  const [left, right] = [child(node, "left"), child(node, "right")];
  if (left === null && right === null) {
    if (leaves.has(name)) yield finding("duplicate-rows", `the leaf ${name} stands twice`);
    leaves.set(name, assets);
    return;
  }
  if (!isObject(left) || !isObject(right)) throw new Malformed("partial-row", `node ${name} has only one child`);
  const children = [left, right].map((one) => JSON.stringify(hashIn(one, key)));
  const message = `[${[written(node.get("assets")), ...children].join(",")}]`;
  if (digest(hashOf(recipe), utf8(message)) !== name) {
    yield finding("hash-differs", `node ${name} is not the hash of its amounts and children`);
  }
  const sum = addBalances(assetsOf(left), assetsOf(right));
  if (sum.size !== assets.size || ![...sum.keys()].every((coin) => assets.has(coin)) || !sameAmounts(sum, assets)) {
    yield finding("sums-differ", `the amounts of node ${name} are not the sum of its children's`);
  }
}

function written(value) {
  if (!isObject(value)) return JSON.stringify(value);
  return `{${[...value].map(([key, entry]) => `${JSON.stringify(key)}:${written(entry)}`).join(",")}}`;
}

function hashIn(node, key) {
  if (typeof node.get(key) !== "string") throw new Malformed("malformed", "a node has no hash");
  return node.get(key);
}

function assetsOf(node) {
  const assets = node.get("assets");
  if (!isObject(assets) || ![...assets.values()].every(isObject)) {
    throw new Malformed("malformed", "a node has no assets by class");
  }
  const pairs = [...assets].flatMap(([kind, table]) => [...table].map(([coin, text]) => [`${kind}/${coin}`, text]));
  if (pairs.some(([, text]) => typeof text !== "string")) throw new Malformed("malformed", "an amount is not a text");
  return readBalances(pairs, "assets").amounts;
}

function byCoin(assets) {
  let total = new Map();
  for (const [name, amount] of assets)
    total = addBalances(total, new Map([[name.slice(name.indexOf("/") + 1), amount]]));
  return total;
}
