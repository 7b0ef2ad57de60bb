// The first published scheme (Maxwell, 2014) hands out the tree with everything cut off that is not beside the path.

import { readAmount } from "./amounts.js";
import { Malformed, OtherLayout } from "./faults.js";
import { isObject } from "./json.js";
import { MAX_STEPS, canonicalHash } from "./layout.js";
import { pathProof, step } from "./path.js";
import { asText } from "./show.js";

const COIN = "sum";
const MAX_SHOWN_ID = 200;

const isText = (value) => typeof value === "string" || typeof value === "bigint" || typeof value === "boolean";
const hasChildren = (node) => node.has("left") || node.has("right");

export function readMaxwell(recipe, value, facts, companions) {
  const tree = isObject(value) ? value.get("partial_tree") : null;
  if (!isObject(tree)) throw new OtherLayout("partial_tree");
  const { own, steps } = descend(recipe, tree);
  const { amount, text } = readAmount(own.get("sum") ?? null, "sum");
  if (!isText(own.get("user")) || !isText(own.get("nonce")))
    throw new Malformed("malformed", "user or nonce is missing");
  const { root, totals } = rootOf(recipe, facts, companions);
  return [
    pathProof({
      fields: new Map([
        ["user", own.get("user")],
        ["nonce", own.get("nonce")],
      ]),
      own: new Map([[COIN, amount]]),
      ownTexts: new Map([[COIN, text]]),
      steps,
      root,
      rootSums: totals,
      account: asText(own.get("user")).slice(0, MAX_SHOWN_ID),
      unbound: [...[...value.keys()].filter((key) => key !== "partial_tree"), ...[...unread(tree)].sort()],
    }),
  ];
}

function rootOf(recipe, facts, companions) {
  const named = companions
    .filter((one) => isObject(one) && isObject(one.get("root")))
    .at(-1)
    ?.get("root");
  if (!named) return { root: facts.get("root") ?? null, totals: null };
  const root = canonicalHash(recipe, asText(named.get("hash")), "root");
  return { root, totals: new Map([[COIN, readAmount(named.get("sum") ?? null, "root.sum").amount]]) };
}

// The user's own data and the siblings from the leaf upwards.
function descend(recipe, tree) {
  const steps = [];
  let node = tree;
  while (isObject(node) && hasChildren(node)) {
    const [left, right] = [node.get("left"), node.get("right")];
    if (!isObject(left) || !isObject(right) || steps.length >= MAX_STEPS) {
      throw new Malformed("malformed", "a node above your entry does not have two children");
    }
    const mine = [left, right].filter(holdsUser);
    if (mine.length !== 1) throw new Malformed("malformed", "the tree must hold one entry with a user");
    const other = mine[0] === left ? right : left;
    const data = other.get("data");
    if (!isObject(data) || hasChildren(other))
      throw new Malformed("malformed", "a neighbour of the path has no sum and hash");
    const { amount } = readAmount(data.get("sum") ?? null, "sum");
    const hash = canonicalHash(recipe, asText(data.get("hash")), "a neighbour");
    steps.unshift(step(hash, new Map([[COIN, amount]]), other === left));
    [node] = mine;
  }
  const own = isObject(node) ? node.get("data") : null;
  if (!isObject(own)) throw new Malformed("malformed", "your entry has no data");
  return { own, steps };
}

// An inner node on the path has children; the user's own entry names the user.
function holdsUser(node) {
  const data = node.get("data");
  return hasChildren(node) || (isObject(data) && data.has("user"));
}

// Name the keys that nothing reads; what stands in inner nodes is computed anew.
function unread(node) {
  if (!isObject(node)) return new Set();
  const found = [...node.keys()].filter((key) => !["data", "left", "right"].includes(key));
  const data = node.get("data") ?? null;
  if (hasChildren(node) && data !== null) found.push("data");
  if (isObject(data)) {
    const read = data.has("user") ? ["user", "sum", "nonce"] : ["sum", "hash"];
    found.push(...[...data.keys()].filter((key) => !read.includes(key)));
  }
  return new Set([...found, ...unread(node.get("left")), ...unread(node.get("right"))]);
}
