// Lemon Cash hands out a table with the path in braces, and the root in a file of variables.

import { readBalances } from "./amounts.js";
import { readTable } from "./csv.js";
import { Malformed, OtherLayout, finding } from "./faults.js";
import { isObject } from "./json.js";
import { MAX_STEPS, canonicalHash } from "./layout.js";
import { pathProof, step } from "./path.js";
import { trimmed } from "./spaces.js";

const COLUMNS = ["id", "balances", "proof", "audit_id"];
const VARIABLES = ["root_hash", "root_balances", "hash_algorithm"];
const STEP = /\{(LEFT|RIGHT),([0-9a-f]{64}),([^{}]*)\}/g;
const EMPTY_HASH = "00".repeat(32);
const MAX_ROWS = 1000;

const isVariables = (value) => isObject(value) && value.has("root_hash") && value.has("root_balances");

// Each row is one account's proof.
export function readLemon(recipe, value, facts, companions) {
  if (typeof value !== "string") throw new OtherLayout("columns");
  const names = value.split("\n", 1)[0].split(",").map(trimmed);
  if (!COLUMNS.every((column) => names.includes(column))) throw new OtherLayout("columns");
  const rows = readTable(value);
  if (!rows || !rows.length || rows.length > MAX_ROWS) {
    throw new Malformed("malformed", "the table has no row, too many, or one of another width");
  }
  const { root, totals } = rootOf(recipe, facts, companions);
  const extra = companions
    .filter(isVariables)
    .flatMap((one) => [...one.keys()])
    .filter((key) => !VARIABLES.includes(key))
    .map((key) => `variables.${key}`);
  return rows.map((row) => proofOf(row, root, totals, extra));
}

function rootOf(recipe, facts, companions) {
  const variables = companions.find(isVariables);
  if (!variables) return { root: facts.get("root") ?? null, totals: null };
  const [root, algorithm] = [variables.get("root_hash"), variables.get("hash_algorithm")];
  if ((algorithm !== undefined && algorithm !== "sha256") || typeof root !== "string") {
    throw new Malformed("malformed", "the variables name another hash than sha256");
  }
  return { root: canonicalHash(recipe, root, "root_hash"), totals: balancesOf(variables.get("root_balances"), "root") };
}

function proofOf(row, root, totals, extra) {
  const steps = stepsOf(row.get("proof"));
  const faults = [];
  steps.forEach(({ hash, balances }, number) => {
    if (hash === EMPTY_HASH && balances.size) {
      faults.push(finding("padding-carries-value", `step ${number + 1} is padding with value`));
    }
  });
  return pathProof({
    fields: new Map([
      ["id", row.get("id")],
      ["audit_id", row.get("audit_id")],
    ]),
    own: balancesOf(row.get("balances"), "balances"),
    steps,
    root,
    faults,
    rootSums: totals,
    run: row.get("audit_id"),
    account: row.get("id"),
    unbound: [...[...row.keys()].filter((key) => !COLUMNS.includes(key)), ...extra],
  });
}

function stepsOf(text) {
  const matches = [...text.matchAll(STEP)];
  const written = `[${matches.map((match) => match[0]).join(",")}]`;
  if (matches.length > MAX_STEPS || written !== text.replaceAll(", {", ",{")) {
    throw new Malformed("malformed", "the proof is not a list of {SIDE,hash,balances}");
  }
  return matches.map((match, number) =>
    step(match[2], balancesOf(match[3], `step ${number + 1}`), match[1] === "LEFT"),
  );
}

// As in the exchange's own tool, a coin of which nothing is held is not hashed.
function balancesOf(text, where) {
  if (typeof text !== "string") throw new Malformed("malformed", `${where}: expected COIN:amount|COIN:amount`);
  const pairs = text ? text.split("|").map(coinAndAmount) : [];
  const { amounts } = readBalances(pairs, where, true);
  return new Map([...amounts].filter(([, amount]) => !amount.isZero));
}

function coinAndAmount(entry) {
  const colon = entry.indexOf(":");
  return colon < 0 ? [entry, ""] : [entry.slice(0, colon), entry.slice(colon + 1)];
}
