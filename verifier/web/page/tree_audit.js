// Rebuild a published tree or leaf list completely, and show every real leaf to whoever looks for theirs.

import { addBalances, anyAmount, sameAmounts, shownAmounts, writeBalances } from "./amounts.js";
import { Malformed, finding } from "./faults.js";
import { hashOf } from "./path.js";
import { readRows, tailOf } from "./rows.js";
import { digest, fill } from "./template.js";

// Return { root, total, leaves, padding }; `onLeaf` sees each real leaf with its place from the left.
export function auditTree(recipe, bytes, onLeaf) {
  const { order } = recipe.rows;
  if (order === "leaves") return folded(recipe, readRows(recipe, bytes), onLeaf);
  return order === "root-first" ? downwards(recipe, bytes, onLeaf) : upwards(recipe, bytes, onLeaf);
}

// Rows with a look at the next one.
class Peek {
  constructor(rows) {
    this.rows = rows;
    this.next = this.advance();
  }

  advance() {
    const { value, done } = this.rows.next();
    return done ? null : value;
  }

  take(what) {
    const row = this.next;
    if (!row) throw new Malformed("partial-row", `the list ends where ${what} belongs`);
    this.next = this.advance();
    return row;
  }
}

const refusal = (code, row, what) => new Malformed(code, `line ${row ? row.line : 0} ${what}`);

function downwards(recipe, bytes, onLeaf) {
  const mirrored = Boolean(recipe.rows.right_to_left);
  const parents = new Peek(readRows(recipe, bytes));
  const children = new Peek(readRows(recipe, bytes));
  const root = children.take("the root");
  let inner = 0;
  let parent = parents.take("a node");
  while (children.next) {
    // A copy of its neighbour has no children of its own.
    if (!(mirrored && isCopy(parent, parents.next))) {
      if (parent.level === 1) throw refusal("trailing-rows", children.next, "stands after the last leaf");
      const first = children.take("a child");
      const second = children.take("the second child");
      checkNode(recipe, parent, ...(mirrored ? [second, first] : [first, second]));
      inner += 1;
    }
    parent = parents.take("a node");
  }
  if (!mirrored && BigInt(inner) & BigInt(inner + 1)) {
    throw new Malformed("partial-row", `${inner + 1} leaves do not fill a tree; rows are missing or added`);
  }
  if (mirrored && parent.level !== 1) {
    throw new Malformed("partial-row", `the list ends above its leaves, at height ${parent.level}`);
  }
  return { root: root.hash, total: root.amount, leaves: leavesBelow(parent, parents, onLeaf, mirrored), padding: 0n };
}

function leavesBelow(first, rows, onLeaf, mirrored) {
  let count = 0;
  for (let row = first; ; row = rows.take("a leaf")) {
    if (!(mirrored && isCopy(row, rows.next))) {
      onLeaf(row, count);
      count += 1;
    }
    if (!rows.next) return count;
  }
}

// A row at the right end that is a copy of its left neighbour without value.
function isCopy(row, neighbour) {
  if (!neighbour || row.level !== neighbour.level || row.hash !== neighbour.hash) return false;
  return row.amount instanceof Map ? !anyAmount(row.amount) : row.amount === 0n;
}

function* withLevel(rows) {
  for (const row of rows) if (row.level) yield row;
}

function upwards(recipe, bytes, onLeaf) {
  const children = new Peek(readRows(recipe, bytes));
  const parents = new Peek(withLevel(readRows(recipe, bytes)));
  const found = { leaves: 0, owed: 0n, padding: 0n, lastHash: "", childless: -1 };
  while (parents.next && children.next) {
    // Only padding has no children below it.
    if (parents.next.level === children.next.level) found.childless = parents.take("padding").line;
    else joinPair(recipe, children, parents, found, onLeaf);
  }
  const root = children.take("the root");
  if (children.next) {
    throw root.level === 0
      ? refusal("incomplete-tree", children.next, "has no parents in this list")
      : refusal("trailing-rows", children.next, "is left over");
  }
  if (!found.leaves && root.level === 0) {
    onLeaf(root, 0);
    [found.leaves, found.owed] = [1, root.amount];
  }
  if (recipe.rows.tail !== undefined) {
    checkTail(recipe, bytes, { users: found.leaves, sum: found.owed, padding: found.padding, levels: root.level ?? 0 });
  }
  return { root: root.hash, total: root.amount, leaves: found.leaves, padding: root.amount - found.owed };
}

function joinPair(recipe, children, parents, found, onLeaf) {
  const rule = recipe.rows;
  const left = children.take("a node");
  const right = children.take("its neighbour");
  const parent = parents.take("a parent");
  const last = children.next?.level !== right.level;
  const copied = rule.odd === "copy" ? right.hash === left.hash : right.amount === 0n && right.line === found.childless;
  const pad = last && copied;
  if ((right.hash === left.hash || [left.line, right.line].includes(found.childless)) && !pad) {
    throw refusal("duplicate-rows", right, "repeats the row before it, or has nothing below it");
  }
  checkNode(recipe, parent, left, right);
  if (left.level === 0) {
    for (const leaf of pad ? [left] : [left, right]) {
      if (rule.sorted && leaf.hash < found.lastHash) {
        throw refusal("order-differs", leaf, "does not stand in the order of the format");
      }
      found.lastHash = leaf.hash;
      onLeaf(leaf, found.leaves);
      found.leaves += 1;
      found.owed += leaf.amount;
    }
  }
  if (pad) found.padding += right.amount;
}

function checkTail(recipe, bytes, found) {
  const tail = tailOf(recipe, bytes);
  if (tail && Object.entries(found).some(([name, value]) => BigInt(tail.get(name)) !== BigInt(value))) {
    throw new Malformed("summary-differs", "the last line does not tell what the rows add up to");
  }
}

function checkNode(recipe, parent, left, right) {
  for (const child of [left, right]) {
    if (parent.level === null || child.level === parent.level - 1) continue;
    const what = `is of level ${child.level ?? "None"} where a child of level ${parent.level} belongs`;
    throw refusal("order-differs", child, what);
  }
  const total = plus(left.amount, right.amount, recipe.sum_decimals);
  if (recipe.commits !== "nothing" && !same(total, parent.amount)) {
    throw refusal("sums-differ", parent, "is not the sum of its two children");
  }
  if (nodeHash(recipe, left, right, parent.level ?? 0) !== parent.hash) {
    throw refusal("hash-differs", parent, "is not the hash of its two children");
  }
}

function nodeHash(recipe, left, right, height) {
  const values = new Map([
    ["L", left.hash],
    ["R", right.hash],
    ["height", height],
  ]);
  if (recipe.commits !== "nothing") {
    const total = plus(left.amount, right.amount, recipe.sum_decimals);
    for (const [name, amount] of [
      ["LB", left.amount],
      ["RB", right.amount],
      ["sum", total],
    ]) {
      values.set(name, amount instanceof Map ? writeBalances(amount, recipe.sum ?? {}) : amount);
    }
  }
  return digest(recipe.node_hash ?? hashOf(recipe), fill(recipe.node, values));
}

export const plus = (left, right, decimals) =>
  left instanceof Map ? addBalances(left, right, decimals) : left + right;
const same = (left, right) => (left instanceof Map ? sameAmounts(left, right) : left === right);

// Join a leaf list upwards, keeping one node per level; an odd last node is promoted, or joined with itself.
function folded(recipe, rows, onLeaf) {
  const open = [];
  let [place, total, depth, last] = [0, null, "", null];
  for (const row of rows) {
    depth ||= row.parts.get("depth") ?? "";
    checkPlace(row, place, depth);
    onLeaf(row, place);
    total = total === null ? row.amount : plus(total, row.amount);
    close(recipe, open, { height: 0, hash: row.hash });
    place += 1;
    last = row;
  }
  if (!last) throw new Malformed("incomplete-tree", "the list has no leaf");
  const levels = place === 1 ? 1 : (place - 1).toString(2).length + 1;
  if (last.parts.get("depth") && Number(last.parts.get("depth")) !== levels) {
    const what = `says the tree has ${last.parts.get("depth")} levels; ${place} leaves make ${levels}`;
    throw refusal("partial-row", last, what);
  }
  while (open.length > 1) {
    let { height, hash } = open.pop();
    const target = open.at(-1).height;
    for (; recipe.rows.odd === "double" && height < target; height += 1) hash = nodeHash(recipe, { hash }, { hash }, 0);
    close(recipe, open, { height: target, hash });
  }
  return { root: open[0].hash, total, leaves: place, padding: 0n };
}

function checkPlace(row, place, depth) {
  for (const [name, wanted] of [
    ["index", String(place)],
    ["depth", depth],
  ]) {
    const said = row.parts.get(name) ?? wanted;
    if (said && said !== wanted) throw refusal("order-differs", row, `has the ${name} ${said} where ${wanted} belongs`);
  }
}

function close(recipe, open, node) {
  let { height, hash } = node;
  while (open.at(-1)?.height === height) {
    const left = open.pop().hash;
    if (left === hash && recipe.rows.odd === "double") {
      const text = "a part of the list is repeated: two lists of different totals have this root";
      throw new Malformed("duplicate-rows", text);
    }
    hash = nodeHash(recipe, { hash: left }, { hash }, 0);
    height += 1;
  }
  open.push({ height, hash });
}

// An amount as plain texts by coin.
export function shownTotal(recipe, amount) {
  if (amount instanceof Map) return shownAmounts(amount);
  const { coin } = recipe.rows;
  return coin ? { [coin]: String(amount) } : {};
}

// Say what padding adds to the total, where the format counts it.
export function paddingNote(recipe, tree) {
  if (!tree.padding) return [];
  const coin = recipe.rows.coin ?? "units";
  const above = `the total shown is ${tree.padding} ${coin} above the sum of the accounts`;
  return [finding("padding-carries-value", `padding repeats real balances: ${above}`)];
}
