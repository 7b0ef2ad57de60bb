// Check a fraud proof by itself: two partial paths that contradict each other are rebuilt; nobody need be trusted.

import { readBalances, sameAmounts, writeBalances } from "./amounts.js";
import { Decimal } from "./decimal.js";
import { Malformed, finding } from "./faults.js";
import { answer } from "./grading.js";
import { isEmpty, isObject, sameValue } from "./json.js";
import { MAX_STEPS } from "./layout.js";
import { climb, hashOf, pathProof, step } from "./path.js";
import { asText, show } from "./show.js";
import { digest, fill } from "./template.js";

export const FRAUD_FORMAT = "reserve-verifier/fraud-proof/1";
const KINDS = ["node-with-two-sums", "two-roots", "leaf-claimed-twice", "overlapping-lines"];
const INTEGER = /^[-+]?[0-9]{1,20}$/;

const wrong = (text) => new Malformed("malformed", text);

// One that holds is refused as a proof and reported as fraud; else it is unrecognised.
export function checkFraud(value, file, formats) {
  try {
    const text = verified(value, formats);
    const parts = { root: asText(need(value, "root")), findings: [finding("fraud-proof-holds", text)] };
    return answer(file, FRAUD_FORMAT, "refused", {
      ...parts,
      fraud: [{ code: value.get("kind"), text, files: [file] }],
    });
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const text = `${file}: this fraud proof shows nothing: ${show(error.message)}`;
    const findings = [finding("fraud-proof-does-not-hold", text)];
    return answer(file, FRAUD_FORMAT, "unrecognised", { findings });
  }
}

function need(record, key) {
  if (!isObject(record) || !record.has(key)) throw wrong(`${key} is missing`);
  return record.get(key);
}

const needText = (record, key) => asText(need(record, key));

function verified(value, formats) {
  const kind = need(value, "kind");
  if (!KINDS.includes(kind)) throw wrong(`unknown kind ${show(kind)}`);
  if (kind === "overlapping-lines") return overlapping(need(value, "lines"));
  const format = formats.find(({ name }) => name === need(value, "proof_format"));
  const proofs = need(value, "proofs");
  if (!format || !Array.isArray(proofs) || proofs.length !== 2) throw wrong("two partial proofs are needed");
  for (const recipe of format.variants) {
    const [first, second] = proofs.map((partial) => rebuilt(recipe, partial));
    if (first && second) return judged(kind, value, recipe, [first, second]);
  }
  throw wrong("a partial proof does not lead up");
}

function overlapping(lines) {
  const isRange = (range) => Array.isArray(range) && range.length === 2;
  if (!Array.isArray(lines) || lines.length !== 2 || !lines.every(isRange)) throw wrong("lines are not two ranges");
  const [[start, end], [otherStart, otherEnd]] = lines;
  if (lines.flat().some((number) => typeof number !== "bigint")) throw wrong("lines are not numbers");
  const apart = start < 0n || otherStart < 0n || start >= otherEnd || otherStart >= end;
  if (apart || start >= end || otherStart >= otherEnd) throw wrong("the lines do not overlap");
  return "two users were given overlapping lines of one list";
}

function judged(kind, value, recipe, paths) {
  const roots = paths.map((path) => path.at(-1).hash);
  if (kind === "two-roots") {
    if (roots[0] === roots[1]) throw wrong("both paths lead to one root");
    const run = show(need(value, "run"));
    return `run ${run} has two roots, ${roots[0]} and ${roots[1]}, if both files are of this run`;
  }
  if (roots.some((root) => root !== need(value, "root"))) throw wrong("the paths do not lead to the root");
  const proofs = value.get("proofs");
  if (kind === "leaf-claimed-twice") {
    const sides = proofs.map((partial) => partial.get("steps").map((one) => need(one, "left")));
    if (paths[0][0].hash !== paths[1][0].hash || !sameValue(...sides)) throw wrong("the leaves or their places differ");
    return `two users claim the leaf ${paths[0][0].hash} at one place, if the files belong to two users`;
  }
  const node = need(value, "node");
  const [one, other] = paths.map((path, number) => sumsOf(node, path, proofs[number]));
  if (sameAmounts(one, other) || recipe.commits !== "sum") throw wrong("the node has one sum");
  return `the node ${node} has two different sums under the root ${roots[0]}: the total is understated`;
}

function sumsOf(node, path, partial) {
  if (path[0].hash === node) return path[0].sums;
  const [beside] = partial.get("steps");
  if (beside === undefined || need(beside, "hash") !== node || !isEmpty(need(beside, "pad"))) {
    throw wrong("the node is on neither path");
  }
  return balancesOf(need(beside, "sums"));
}

// The nodes from the start upwards, or null when the start is not what its parts hash to.
function rebuilt(recipe, partial) {
  const [start, steps] = [need(partial, "start"), need(partial, "steps")];
  if (!Array.isArray(steps) || steps.length > MAX_STEPS) throw wrong("too many steps");
  const [sums, height] = [balancesOf(need(start, "sums")), heightOf(need(start, "height"))];
  const fields = new Map([...tableOf(partial, "fields"), ...tableOf(start, "fields")]);
  const scales = partial.has("scales") ? scalesOf(partial.get("scales")) : undefined;
  const hash = startHash(recipe, start, { sums, height, fields, scales });
  if (hash !== needText(start, "hash") || [...sums.values()].some((amount) => amount.isNegative)) return null;
  const path = steps.map((one) =>
    step(needText(one, "hash"), balancesOf(need(one, "sums")), need(one, "left") === true, need(one, "pad") === true),
  );
  return climb(recipe, pathProof({ fields, own: sums, steps: path, scales }), { hash, sums, height });
}

function startHash(recipe, start, { sums, height, fields, scales }) {
  if (start.has("left")) {
    const [left, right] = [needText(start, "left"), needText(start, "right")];
    const values = new Map([...fields, ["L", left], ["R", right], ["height", height]]);
    values.set("sum", writeBalances(sums, recipe.sum ?? {}, undefined, scales));
    const padded = right ? undefined : recipe.pad?.node;
    return digest(hashOf(recipe), fill(padded ?? recipe.node, values));
  }
  if (!start.has("fields")) return needText(start, "hash");
  const texts = tableOf(start, "own_text");
  if ([...sums.keys()].some((coin) => typeof texts.get(coin) !== "string")) throw wrong("own_text is missing");
  const own = writeBalances(sums, recipe.own ?? {}, texts, scales);
  return digest(hashOf(recipe), fill(recipe.leaf ?? "", new Map([...fields, ["own", own]])));
}

function heightOf(value) {
  if (value instanceof Decimal) return Number(value.cut(0).scaled(0));
  if (typeof value === "string" && !INTEGER.test(value)) throw wrong("height is no number");
  if (!["string", "bigint", "boolean"].includes(typeof value)) throw wrong("height is no number");
  return Number(value);
}

function tableOf(record, key) {
  const table = record.has(key) ? record.get(key) : new Map();
  if (!isObject(table)) throw wrong(`${key}: expected texts by name`);
  return new Map([...table].filter(([, entry]) => typeof entry === "string" || typeof entry === "bigint"));
}

function scalesOf(value) {
  const isScale = (places) => typeof places === "bigint" && places >= 0n && places <= 80n;
  if (!isObject(value) || ![...value.values()].every(isScale))
    throw wrong("scales: expected the decimals of each coin");
  return new Map([...value].map(([coin, places]) => [coin, Number(places)]));
}

function balancesOf(value) {
  if (!isObject(value)) throw wrong("sums: expected amounts by coin");
  return readBalances(value, "sums").amounts;
}
