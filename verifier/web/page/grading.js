// Turn a rebuilt path into a graded answer: what holds, what the format cannot prove, what nobody can conclude.

import { finding } from "./faults.js";
import { hashOf } from "./path.js";
import { ascii, isPrintable } from "./show.js";
import { digestBits } from "./template.js";

const MIN_BITS = 128;
const SHOWN_FIELDS = 40;
export const STEPS = ["included", "own_balance_bound", "totals_bound", "root_anchored", "fresh"];

export function grade(...holds) {
  return Object.fromEntries(STEPS.map((name, number) => [name, Boolean(holds[number])]));
}

export function answer(file, format, verdict, parts = {}) {
  return {
    file,
    format,
    verdict,
    root: null,
    leaf: null,
    own: null,
    totals: null,
    grade: grade(),
    findings: [],
    limits: [],
    account: null,
    runId: null,
    asOf: null,
    claims: [],
    evidence: null,
    lines: null,
    fraud: [],
    ...parts,
  };
}

export const unrecognised = (file, code, text) =>
  answer(file, null, "unrecognised", { findings: [finding(code, text)] });

// Name what this format cannot prove; lowers no verdict.
export function weaknesses(recipe, warnings) {
  const bits = digestBits(hashOf(recipe));
  const codes = [...(recipe.warns ?? [])];
  if (recipe.commits === "sum") codes.push("sum-only");
  if (recipe.commits === "nothing") codes.push("no-totals");
  if (bits < MIN_BITS) codes.push("short-hash");
  if (hashOf(recipe).startsWith("sha1")) codes.push("weak-hash");
  return [...new Set(codes)].map((code) => finding(code, warnings[code].replace("{bits}", bits)));
}

// What a proof without faults establishes: never more than the format can.
export function gradeOf(recipe, included, anchored) {
  const reach = recipe.grade;
  const own = reach.includes("own_balance_bound");
  return grade(included, included && own, included && reach.includes("totals_bound"), anchored, false);
}

// The weaker one of each grade, where several formats fit one file.
export function weakest(answers) {
  return grade(...STEPS.map((name) => answers.every((one) => one.grade[name])));
}

// Codes of what an accepted proof does not prove; the sentences stand in the page's tables.
export function* limitsOf(recipe, found, expected) {
  if (!found.root_anchored) yield "root-not-compared";
  if (!found.own_balance_bound) yield "balance-not-yours-alone";
  if (!found.totals_bound && recipe.commits === "sum") yield "total-can-be-understated";
  if (recipe.commits === "nothing") yield "nothing-about-totals";
  if (!expected) yield "balance-not-compared";
  yield "not-recent";
  yield* ["others-not-counted", "other-root-for-others", "coins-not-checked"];
}

// Name the parts of the file that no hash binds.
export function unboundFinding(fields) {
  if (!fields.length) return [];
  const shown = fields.slice(0, SHOWN_FIELDS).map((field) => (isPrintable(field) ? field : ascii(field)).slice(0, 60));
  const more = fields.length > SHOWN_FIELDS ? ` and ${fields.length - SHOWN_FIELDS} more` : "";
  const text = `nothing binds these parts of the file, do not rely on them: ${shown.join(", ")}${more}`;
  return [finding("unbound-field", text)];
}
