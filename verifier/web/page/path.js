// Rebuild a proof's path from the leaf to the root, by the rules that a format's description states.

import { addBalances, anyAmount, sameAmounts, sameKeys, writeBalances } from "./amounts.js";
import { ZERO } from "./decimal.js";
import { Malformed, finding } from "./faults.js";
import { digest, fill, namesIn } from "./template.js";

export const hashOf = (recipe) => recipe.hash ?? "sha256";
export const padRule = (recipe) => recipe.pad?.rule;

const EMPTY = new Map();

// A proof as a reader took it from a file; nothing in it is believed until `walk` has rebuilt the root.
export function pathProof(parts) {
  return {
    fields: new Map(),
    ownTexts: new Map(),
    steps: [],
    leaf: null,
    root: null,
    rootSums: null,
    height: 1,
    run: null,
    account: null,
    scales: undefined,
    faults: [],
    unbound: [],
    notes: [],
    whole: null,
    ...parts,
  };
}

export const step = (hash, balances, left, pad = false) => ({ hash, balances, left, pad });

export function walk(recipe, proof) {
  const faults = [...proof.faults, ...negatives(proof)];
  const notes = [...proof.notes];
  // 1. The leaf
  const leaf = { hash: leafHash(recipe, proof), sums: proof.own, height: proof.height };
  const leafFits = proof.leaf === null || proof.leaf === leaf.hash;
  if (!leafFits)
    faults.push(finding("leaf-differs", "the leaf's hash is not that of your id, nonce and balances in this file"));
  // 2. Up to the root
  const nodes = climb(recipe, proof, leaf);
  proof.steps.forEach((sibling, number) => {
    faults.push(...padFaults(recipe, nodes[number], sibling, number));
    notes.push(...padNotes(nodes[number], sibling, number));
  });
  const top = nodes.at(-1);
  // 3. The root and its totals
  const rootFits = proof.root === null || proof.root === top.hash;
  if (!rootFits) faults.push(finding("root-differs", "the hashes do not lead to the root in this file"));
  const compared = proof.rootSums !== null && proof.whole === null && recipe.commits !== "nothing";
  if (compared && !sameAmounts(proof.rootSums, top.sums)) {
    faults.push(finding("totals-differ", "the totals shown beside the root are not the sums of the path"));
  }
  return { nodes, faults, notes, fits: leafFits && rootFits };
}

// The nodes from a start up to the root, by the proof's steps.
export function climb(recipe, proof, start) {
  const nodes = [start];
  for (const sibling of proof.steps) nodes.push(parentOf(recipe, proof, nodes.at(-1), sibling));
  return nodes;
}

function leafHash(recipe, proof) {
  if (!recipe.leaf) {
    if (!proof.leaf) throw new Malformed("malformed", "the leaf's hash is missing");
    return proof.leaf;
  }
  const own = writeBalances(proof.own, recipe.own ?? {}, proof.ownTexts, proof.scales);
  return digest(hashOf(recipe), fill(recipe.leaf, new Map([...proof.fields, ["own", own]])));
}

function parentOf(recipe, proof, node, sibling) {
  const beside = { hash: sibling.hash, sums: sibling.balances };
  const [near, far] = sibling.left ? [beside, node] : [node, beside];
  const padless = sibling.pad && ["empty", "absent"].includes(padRule(recipe));
  if (!padless) checkCoins(recipe, near.sums, far.sums);
  const sums = padless ? new Map(node.sums) : summed(recipe, near.sums, far.sums);
  const rule = padless ? (recipe.pad.node ?? recipe.node) : recipe.node;
  const height = node.height + (recipe.height?.step ?? 1);
  const values = new Map([...proof.fields, ["L", near.hash], ["R", far.hash], ["height", height]]);
  const names = namesIn(rule);
  for (const [name, table] of [
    ["sum", sums],
    ["LB", near.sums],
    ["RB", far.sums],
  ]) {
    if (names.has(name)) values.set(name, writeBalances(table, recipe.sum ?? {}, undefined, proof.scales));
  }
  return { hash: digest(hashOf(recipe), fill(rule, values)), sums, height };
}

function checkCoins(recipe, left, right) {
  if (recipe.commits === "nothing" || recipe.coins_may_differ || sameKeys(left, right)) return;
  const odd = [...left.keys()].filter((coin) => !right.has(coin));
  odd.push(...[...right.keys()].filter((coin) => !left.has(coin)));
  throw new Malformed("coins-differ", `${odd.sort()[0]} stands in one entry of the path and not in the next`);
}

function summed(recipe, left, right) {
  if (recipe.commits === "nothing") return EMPTY;
  const opened = (recipe.sum_opens ?? []).filter((coin) => !left.has(coin)).map((coin) => [coin, ZERO]);
  return addBalances(new Map([...left, ...opened]), right, recipe.sum_decimals);
}

function* padFaults(recipe, node, sibling, number) {
  if (!sibling.pad) return;
  const where = `step ${number + 1} of the path`;
  if (anyAmount(sibling.balances)) yield finding("padding-carries-value", `${where} is padding and carries an amount`);
  if (padRule(recipe) === "copy" && sibling.hash !== node.hash) {
    yield finding("padding-differs", `${where} is called padding and is not a copy of its neighbour`);
  }
  if (sibling.left) yield finding("padding-left", `${where} is padding to the left of an account`);
}

function* padNotes(node, sibling, number) {
  if (sibling.hash !== node.hash || anyAmount(sibling.balances) || sibling.pad) return;
  const text = `step ${number + 1} of the path is a copy of its neighbour, not called padding; its side is not bound`;
  yield finding("padding-undeclared", text);
}

function* negatives(proof) {
  const places = [
    ["your own balance", proof.own],
    ["the root", proof.rootSums ?? EMPTY],
  ];
  proof.steps.forEach((sibling, number) => places.push([`step ${number + 1} of the path`, sibling.balances]));
  for (const [where, balances] of places) {
    for (const [coin, amount] of balances) {
      if (!amount.isNegative) continue;
      const text = `${where} holds ${amount.plain()} ${coin}; a negative balance hides what is owed to others`;
      yield finding("negative-balance", text);
    }
  }
}
