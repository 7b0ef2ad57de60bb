// Judge a published tree or leaf list: rebuild all of it, and find the user's own leaves where they can be known.

import { readAmount } from "./amounts.js";
import { Decimal, ZERO } from "./decimal.js";
import { Malformed, finding } from "./faults.js";
import { answer, grade, limitsOf, unboundFinding, unrecognised, weakest, weaknesses } from "./grading.js";
import { isObject } from "./json.js";
import { unexpected } from "./judge.js";
import { mineOf } from "./mine.js";
import { fitsHead, headerOf } from "./rows.js";
import { wordsOf } from "./spaces.js";
import { auditTree, paddingNote, plus, shownTotal } from "./tree_audit.js";

const SHOWN_LEAVES = 100;
const ROUNDING = Decimal.parse("0.00000001");

// Several formats may share one list; then all are named.
export function judgeList(list, question, others, tables) {
  const fitting = tables.formats.flatMap((format) => fittingVariants(format, list, question));
  if (!fitting.length) {
    const text = `${list.name}: neither JSON nor a list in a format known here; \`por formats\` names them`;
    return unrecognised(list.name, "unknown-format", text);
  }
  const judged = fitting.map(({ name, recipe }) => judgeOne(list, name, recipe, question, others, tables.warnings));
  // Who told who they are wants to be found: formats in which nobody could look for them answer nothing.
  const asked = judged.filter((one) => one.asked);
  const top = best((asked.length ? asked : judged).map((one) => one.found));
  const names = [...new Set(top.map((one) => one.format))].sort();
  if (names.length === 1) return top[0];
  const note = finding("ambiguous-format", `${names.join(" and ")} fit equally; choose with --format, or give --fact`);
  return { ...top[0], format: names.join("|"), grade: weakest(top), findings: [note, ...top[0].findings] };
}

function fittingVariants(format, list, { only, facts }) {
  if (format.container === "path" || (only && only !== format.name)) return [];
  const [first] = format.variants;
  if (!fitsHead(first, list.value)) return [];
  const told = (recipe) => !recipe.mine?.only || recipe.mine.needs.every((fact) => facts.has(fact));
  return format.variants.filter((recipe) => only || told(recipe)).map((recipe) => ({ name: format.name, recipe }));
}

// Prefer answers that found the user's leaf, then accepted ones.
function best(answers) {
  const rank = (one) => (one.verdict === "accepted" ? 1 + Number(one.grade.included) : 0);
  const top = Math.max(...answers.map(rank));
  return answers.filter((one) => rank(one) === top);
}

function judgeOne(list, name, recipe, question, others, warnings) {
  let mine = { asked: false };
  try {
    const header = headerOf(recipe, list.bytes);
    mine = mineOf(name, recipe, header, question, others);
    const tree = auditTree(recipe, list.bytes, (row, place) => mine.see(row, place));
    return {
      asked: mine.asked,
      found: compared(list, name, recipe, { header, mine, tree, question, others, warnings }),
    };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const findings = [finding(error.code, error.message)];
    return { asked: mine.asked, found: answer(list.name, name, "refused", { findings }) };
  }
}

function compared(list, name, recipe, found) {
  const { header, mine, tree, question, others } = found;
  const named = header.get("root") || namedRoot(others);
  const faults = mine.asked ? mine.faults() : [];
  if (named !== null && named !== tree.root) {
    faults.push(finding("root-differs", `the rows lead to ${tree.root}, not to the root ${named} beside them`));
  }
  if (question.root !== null && question.root.toLowerCase() !== tree.root) {
    const text = `the exchange published ${question.root}, these rows lead to ${tree.root}`;
    faults.push(finding("root-not-published", text));
  }
  faults.push(...totalFaults(header, tree));
  const owned = ownedIn(recipe, mine, question.expected);
  if (owned !== null && !faults.length) faults.push(...unexpected(inCoins(owned), question.expected));
  if (faults.length) return answer(list.name, name, "refused", { root: tree.root, findings: faults });
  return accepted(list, name, recipe, { ...found, owned });
}

function accepted(list, name, recipe, { mine, tree, owned, question, warnings }) {
  const reach = recipe.grade;
  const included = mine.rows.length > 0;
  const ownBound = included && reach.includes("own_balance_bound");
  const found = grade(included, ownBound, reach.includes("totals_bound"), question.root !== null, false);
  const notes = [finding("rebuilt", `all ${tree.leaves} leaves were rebuilt to the root`)];
  if (!included) {
    const why = mine.asked
      ? "no leaf opens to you: the exchange counts nothing for you"
      : "tell who you are with --fact";
    notes.push(finding("no-own-leaf", `your own leaf was not found: ${why}`));
  }
  const loose = [...mine.unbound, ...(recipe.rows.unbound ?? [])];
  const start = mine.rows[0]?.place;
  return answer(list.name, name, "accepted", {
    root: tree.root,
    leaf:
      mine.rows
        .slice(0, SHOWN_LEAVES)
        .map(({ row }) => row.hash)
        .join(",") || null,
    own: owned,
    totals: isSomething(tree.total) ? shownTotal(recipe, tree.total) : null,
    grade: found,
    findings: [...notes, ...paddingNote(recipe, tree), ...weaknesses(recipe, warnings), ...unboundFinding(loose)],
    limits: [...limitsOf(recipe, found, question.expected.size > 0)],
    lines: mine.count !== null && included ? { root: tree.root, start, end: start + mine.count } : null,
  });
}

const isSomething = (total) => (total instanceof Map ? total.size > 0 : total !== 0n);

function ownedIn(recipe, mine, expected) {
  if (!mine.asked) return null;
  if (!mine.rows.length) return shownTotal(recipe, 0n);
  // The leaf that was found is that of these amounts.
  if (recipe.commits === "nothing" && (recipe.mine?.leaf ?? "").includes("{own")) return Object.fromEntries(expected);
  return shownTotal(
    recipe,
    mine.rows.map(({ row }) => row.amount).reduce((total, amount) => plus(total, amount)),
  );
}

// Let the user expect satoshis or whole coins.
function inCoins(owned) {
  return owned.sat === undefined ? owned : { ...owned, BTC: Decimal.parse(owned.sat).shifted(-8).plain() };
}

function namedRoot(others) {
  for (const value of others) {
    if (isObject(value) && typeof value.get("userMerkleRoot") === "string") return value.get("userMerkleRoot");
    if (typeof value === "string" && value.length <= 128) return value;
  }
  return null;
}

// Compare the totals a list states with the sum of its rows; the exchange rounds to eight decimals.
function totalFaults(header, tree) {
  if (!header.get("totals") || !(tree.total instanceof Map)) return [];
  let stated;
  try {
    stated = statedTotals(header.get("totals"));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return [finding(error.code, error.message)];
  }
  for (const [coin, amount] of tree.total) {
    const apart = (stated.get(coin) ?? ZERO).plus(new Decimal(!amount.negative, amount.digits, amount.exponent));
    const size = new Decimal(true, apart.digits, apart.exponent);
    if (!ROUNDING.plus(size).isNegative) continue;
    const text = `the list states ${stated.get(coin) ?? "None"} ${coin} in total, its rows add up to ${amount.plain()}`;
    return [finding("totals-differ", text)];
  }
  return [];
}

function statedTotals(text) {
  const pairs = text
    .split(",")
    .map(wordsOf)
    .filter((words) => words.length === 2);
  return new Map(pairs.map(([amount, coin]) => [coin, readAmount(amount, "Balance totals").amount]));
}
