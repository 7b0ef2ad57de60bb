// Judge a proof in an exchange's own format: which format fits, what it shows, what it cannot show.

import { addBalances, shownAmounts } from "./amounts.js";
import { Decimal } from "./decimal.js";
import { finding } from "./faults.js";
import { answer, gradeOf, limitsOf, unboundFinding, weakest, weaknesses } from "./grading.js";

// Not wrong but incomplete, or no proof at all: there is nothing to judge.
const NOTHING_TO_JUDGE = new Set(["companion-missing", "root-missing", "too-long", "not-a-number"]);

// When several formats fit, all must accept; the finding `ambiguous-format` names them.
export function judgePath(file, trials, question, warnings) {
  const answers = trials.filter((trial) => trial.fits).map((trial) => judgeOne(file, trial, question, warnings));
  if (!answers.length) return judgeOne(file, trials[0], question, warnings);
  if (answers.length === 1) return answers[0];
  const names = answers.map((one) => one.format);
  const worst = answers.find((one) => one.verdict !== "accepted") ?? answers[0];
  const text = `${names.join(" and ")} fit equally; all of them were checked, choose with --format`;
  const findings = [finding("ambiguous-format", text), ...worst.findings];
  return { ...worst, format: names.join("|"), grade: weakest(answers), findings };
}

function judgeOne(file, trial, question, warnings) {
  const { name, proofs } = trial;
  const faults = [...trial.faults];
  const top = topOf(trial);
  if (!trial.error && !faults.length && proofs.some((proof) => proof.root === null)) {
    const text = "and this file names no root: give the published one with --root or --anchor";
    faults.push(finding("root-missing", `the path leads to ${top}, ${text}`));
  }
  if (faults.some((fault) => NOTHING_TO_JUDGE.has(fault.code))) {
    return answer(file, name, "unrecognised", { findings: faults });
  }
  const anchored =
    !faults.length && question.root !== null && question.root.toLowerCase() === String(top).toLowerCase();
  if (!faults.length && question.root !== null && !anchored) {
    faults.push(finding("root-not-published", `the exchange published ${question.root}, this proof leads to ${top}`));
  }
  const own = shownAmounts(proofs.reduce((total, proof) => addBalances(total, proof.own), new Map()));
  if (!faults.length) faults.push(...unexpected(own, question.expected));
  if (faults.length) return answer(file, name, "refused", { root: top || null, findings: faults });
  return accepted(file, trial, top, own, anchored, question, warnings);
}

function accepted(file, trial, top, own, anchored, question, warnings) {
  const { recipe, proofs, walks } = trial;
  const [proof] = proofs;
  const notes = unique(walks.flatMap((walked) => walked.notes));
  const found = gradeOf(recipe, proof.whole !== "", anchored);
  if (notes.some((note) => note.code === "balance-not-bound")) found.own_balance_bound = false;
  const fields = [...new Set(proofs.flatMap((one) => one.unbound))];
  const tops = proofs.map((one, number) => (one.whole === null ? walks[number].nodes.at(-1).sums : one.rootSums));
  const totals = new Map(tops.flatMap((table) => [...(table ?? [])]));
  const paths = proofs.map((one, number) => ({ file, format: trial.name, recipe, proof: one, walk: walks[number] }));
  return answer(file, trial.name, "accepted", {
    root: top,
    leaf: proof.whole === null ? walks[0].nodes[0].hash : proof.whole || null,
    own: proof.whole === "" ? null : own,
    totals: recipe.commits === "nothing" ? null : shownAmounts(totals),
    grade: found,
    findings: [...notes, ...weaknesses(recipe, warnings), ...unboundFinding(fields)],
    limits: [...limitsOf(recipe, found, question.expected.size > 0)],
    account: proof.account,
    runId: proof.run,
    evidence: paths.filter((path) => path.proof.whole === null),
  });
}

function unique(findings) {
  return [...new Map(findings.map((one) => [JSON.stringify([one.code, one.text]), one])).values()];
}

const topOf = (trial) =>
  trial.walks.length ? trial.proofs[0].fields.get("published_root") || trial.walks[0].nodes.at(-1).hash : null;

// Name the assets of which the exchange counted another amount than the user expects.
export function unexpected(own, expected) {
  const found = [];
  for (const [name, amount] of expected) {
    const coin = Object.keys(own).find((key) => key.toUpperCase() === name.toUpperCase());
    const counted = coin === undefined ? "0" : own[coin];
    if (Decimal.parse(counted).equals(Decimal.parse(amount))) continue;
    found.push(finding("balance-differs", `you expect ${amount} ${name}, but the exchange counted ${counted}`));
  }
  return found;
}
