// The hashing rules of our liabilities tree: what a leaf, a node, padding and the published digest are.

import { bigEndian, joined, toHex, utf8 } from "./bytes.js";
import { Malformed } from "./faults.js";
import { sha256 } from "./sha256.js";
import { MAX_UNITS } from "./wire.js";

export const TREE_FORMAT = "reserve-verifier/liabilities-tree/1";
export const MAX_DEPTH = 53;
export const MAX_LEAVES = (1n << 53n) - 1n;
const UNIT_BYTES = 16;

function tagPrefix(name) {
  const tag = sha256(utf8(`${TREE_FORMAT}/${name}`));
  return joined([tag, tag]);
}

const [LEAF, NODE, PADDING, COMMITMENT] = ["leaf", "node", "padding", "commitment"].map(tagPrefix);

const tagged = (prefix, parts) => sha256(joined([prefix, ...parts]));
const encodeSums = (sums) => joined(sums.map((units) => bigEndian(units, UNIT_BYTES)));

export function addSums(left, right) {
  return left.map((units, column) => {
    const sum = units + right[column];
    if (sum > MAX_UNITS) throw new Malformed("sum-overflow", "a sum exceeds 2^128 - 1 base units");
    return sum;
  });
}

export function leafNode(runId, salt, account, sums, part) {
  const run = utf8(runId);
  const id = utf8(account);
  const head = [
    bigEndian(BigInt(run.length), 2),
    run,
    salt,
    bigEndian(BigInt(part), 2),
    bigEndian(BigInt(id.length), 4),
    id,
  ];
  return { hash: tagged(LEAF, [...head, encodeSums(sums)]), sums };
}

// The hash commits to each child's hash and to each child's sums.
export function parentNode(left, right) {
  const hash = tagged(NODE, [left.hash, encodeSums(left.sums), right.hash, encodeSums(right.sums)]);
  return { hash, sums: addSums(left.sums, right.sums) };
}

const paddings = new Map();

// The root of a subtree of 2^height places that hold nobody; all its sums are zero.
export function padding(height, assets) {
  const key = `${height}/${assets}`;
  if (!paddings.has(key)) {
    const below = height ? padding(height - 1, assets) : null;
    paddings.set(key, below ? parentNode(below, below) : { hash: tagged(PADDING, []), sums: Array(assets).fill(0n) });
  }
  return paddings.get(key);
}

export const depthOf = (leafCount) => (leafCount === 1n ? 0 : (leafCount - 1n).toString(2).length);

export function foldPath(leaf, index, path) {
  return path.reduce(
    (node, sibling, height) => ((index >> BigInt(height)) & 1n ? parentNode(sibling, node) : parentNode(node, sibling)),
    leaf,
  );
}

export const commitmentDigest = (header) => toHex(tagged(COMMITMENT, [utf8(header)]));
