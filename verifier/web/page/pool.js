// Compare users' proofs of one run with each other: what no single proof can show.

import { sameAmounts } from "./amounts.js";
import { ZERO } from "./decimal.js";
import { ascii } from "./show.js";

const UNSIGNED = "This is evidence as strong as the origin of the files: a proof file carries no signature.";

export function poolAnswers(answers) {
  const evidence = answers.flatMap((one) => one.evidence ?? []);
  // A fraud proof among the files stands as found.
  const fraud = [
    ...answers.flatMap((one) => one.fraud),
    ...contradictions(answers.flatMap((one) => one.claims)),
    ...twoSums(evidence),
    ...twoRoots(evidence),
    ...sharedLeaves(evidence),
    ...overlaps(answers.filter((one) => one.lines).map((one) => ({ ...one.lines, file: one.file }))),
  ];
  return { verdict: fraud.length ? "fraud" : answers.length <= 1 ? "single" : "consistent", fraud };
}

const found = (code, text, files) => ({ code, text, files });
const topOf = (entry) => entry.walk.nodes.at(-1).hash;

function grouped(entries, keyOf) {
  const groups = new Map();
  for (const entry of entries) {
    const key = keyOf(entry);
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  return groups;
}

// The same node hash with two different sums: the operator shows less to one of them.
function* twoSums(evidence) {
  const nodes = new Map();
  const told = new Set();
  // Where a parent's hash holds nothing or each child's sum, there is nothing to contradict.
  for (const entry of evidence.filter(({ recipe }) => recipe.commits === "sum")) {
    for (const { hash, sums } of nodesOf(entry)) {
      const key = JSON.stringify([entry.format, hash]);
      const first = nodes.get(key) ?? { entry, sums };
      nodes.set(key, first);
      const pair = JSON.stringify([hash, topOf(entry)]);
      if (told.has(pair) || sameAmounts(first.sums, sums) || topOf(first.entry) !== topOf(entry)) continue;
      told.add(pair);
      yield contradiction(hash, first, { entry, sums });
    }
  }
}

function* nodesOf({ walk, proof }) {
  const copies = new Set(proof.steps.filter((step) => step.pad).map((step) => step.hash));
  yield* walk.nodes;
  for (const [number, { hash, balances }] of proof.steps.entries()) {
    // Padding is a copy of its neighbour without value: no contradiction.
    if (!copies.has(hash) && hash !== walk.nodes[number].hash) yield { hash, sums: balances };
  }
}

function contradiction(hash, first, second) {
  const amount = (seen, coin) => seen.sums.get(coin) ?? ZERO;
  const coins = new Set([...first.sums.keys(), ...second.sums.keys()]);
  const coin = [...coins].find((one) => !amount(first, one).equals(amount(second, one)));
  const [left, right] = [first, second].map((seen) => amount(seen, coin).plain());
  const text =
    `the node ${hash} holds ${left} ${coin} for one user and ${right} ${coin} for the other, ` +
    "under one root: the exchange understates what it owes.";
  return found("node-with-two-sums", text, [first.entry.file, second.entry.file]);
}

function* twoRoots(evidence) {
  const withRun = evidence.filter(({ proof }) => proof.run);
  for (const entries of grouped(withRun, ({ format, proof }) => JSON.stringify([format, proof.run])).values()) {
    const roots = new Map();
    for (const entry of entries) {
      const top = String(entry.proof.fields.get("published_root") || topOf(entry));
      if (!roots.has(top)) roots.set(top, entry.file);
    }
    if (roots.size < 2) continue;
    const [{ format, proof }] = entries;
    const text = `run ${ascii(proof.run)} of ${format} has ${roots.size} roots: users were shown different books.`;
    yield found("two-roots", `${text} ${UNSIGNED}`, [...roots.values()]);
  }
}

// One leaf at one place for two users; a format that names no user cannot tell a file handed in twice apart.
function* sharedLeaves(evidence) {
  const places = new Map();
  for (const entry of evidence) {
    const sides = entry.proof.steps.map((step) => (step.left ? "r" : "l")).join("");
    const place = JSON.stringify([entry.format, topOf(entry), sides, entry.walk.nodes[0].hash]);
    const first = places.get(place) ?? entry;
    places.set(place, first);
    if (first === entry || (entry.proof.account && entry.proof.account === first.proof.account)) continue;
    const text = `two files claim one leaf: if they belong to two users, one of them is not counted. ${UNSIGNED}`;
    yield found("leaf-claimed-twice", text, [first.file, entry.file]);
  }
}

function* overlaps(claims) {
  for (const [number, one] of claims.entries()) {
    for (const other of claims.slice(number + 1)) {
      if (one.root !== other.root || one.start >= other.end || other.start >= one.end) continue;
      const text =
        `two users were given overlapping lines of one list, ${one.start + 1} to ${one.end} and ` +
        `${other.start + 1} to ${other.end}: some lines serve both. ${UNSIGNED}`;
      yield found("overlapping-lines", text, [one.file, other.file]);
    }
  }
}

function* contradictions(claims) {
  for (const [runId, members] of grouped(claims, (claim) => claim.runId)) {
    const roots = new Map(members.toReversed().map((claim) => [claim.root, claim.file]));
    if (roots.size < 2) continue;
    const text = `run ${runId} has ${roots.size} different published digests: users were shown different books.`;
    yield found("two-roots", `${text} ${UNSIGNED}`, [...roots.values()].sort());
  }
  for (const members of grouped(claims, (claim) => JSON.stringify([claim.runId, claim.root])).values()) {
    yield* withinOneTree(members);
  }
}

function* withinOneTree(members) {
  const byIndex = new Map();
  const byPart = new Map();
  // A split account contradicts itself in every part: say it once.
  const told = new Set();
  const isNew = (one, other) => {
    const pair = JSON.stringify([one.account, other.account, one.file, other.file]);
    return !told.has(pair) && Boolean(told.add(pair));
  };
  for (const claim of members) {
    const holder = byIndex.get(claim.index) ?? claim;
    byIndex.set(claim.index, holder);
    if (holder.account !== claim.account && isNew(holder, claim)) {
      const text = `run ${claim.runId}: two accounts were given one leaf, number ${claim.index}: one is missing.`;
      yield found("leaf-claimed-twice", `${text} ${UNSIGNED}`, [holder.file, claim.file]);
    }
    const part = JSON.stringify([claim.account, claim.part]);
    const earlier = byPart.get(part) ?? claim;
    byPart.set(part, earlier);
    if (earlier.index !== claim.index && isNew(earlier, claim)) {
      const places = `numbers ${earlier.index} and ${claim.index}`;
      const text = `run ${claim.runId}: one account has two leaves for one part of its balance, ${places}.`;
      yield found("account-counted-twice", `${text} ${UNSIGNED}`, [earlier.file, claim.file]);
    }
  }
}
