// Check users' inclusion proofs, any exchange's: is this balance inside what the exchange published?

import { isRead, tryFormats } from "./detect.js";
import { finding } from "./faults.js";
import { FRAUD_FORMAT, checkFraud } from "./fraud.js";
import { answer, unrecognised } from "./grading.js";
import { isObject } from "./json.js";
import { judgePath } from "./judge.js";
import { judgeList } from "./judge_list.js";
import { MAX_BYTES, MAX_LIST_BYTES, isAccount, isCompanion, load } from "./loading.js";
import { checkOwn } from "./own_proof.js";
import { PROOF_FORMAT } from "./own_record.js";
import { show } from "./show.js";

const RECORD_KEYS = ["file", "format", "verdict", "root", "leaf", "own", "totals", "grade", "findings"];

// `files` are { name, bytes }; `question` holds root, expected, facts, only (the one format) and now.
export function checkFiles(files, question, tables) {
  const { proofs, loaded } = sorted(files, jsonLimit(question, tables));
  return proofs.flatMap((one) => checkForEachUser(one, loaded, question, tables));
}

// A published list is checked once for each user's file that came along, under that file's name.
function checkForEachUser(one, files, question, tables) {
  const users = files.filter((other) => other.kind === "json" && isAccount(other.value));
  if (one.kind !== "rows" || users.length < 2) return [checkLoaded(one, files, question, tables)];
  return users.map((user) => {
    const alone = files.filter((other) => other === user || !users.includes(other));
    return { ...checkLoaded(one, alone, question, tables), file: user.name };
  });
}

// What the user owns tells of one user: it cannot be asked of several proofs.
export const tooManyForExpected = (files, question) => question.expected.size > 0 && sorted(files).proofs.length > 1;

// The object that `por check --json` prints.
export function reportOf(answers, pool) {
  const verdicts = answers.map((one) => one.verdict);
  const good = verdicts.every((verdict) => verdict === "accepted");
  const refused = verdicts.includes("refused") || pool.fraud.length > 0;
  const verdict = refused
    ? "refused"
    : good
      ? "accepted"
      : verdicts.includes("unsupported")
        ? "unsupported"
        : "unrecognised";
  const results = answers.map((one) => Object.fromEntries(RECORD_KEYS.map((key) => [key, one[key]])));
  return { verdict, results, pool };
}

// A tree that is one JSON value is read whole; only who names such a format may hand over a large one.
function jsonLimit({ only }, { formats }) {
  const nested = formats.some((format) => format.name === only && format.special === "nested");
  return nested ? MAX_LIST_BYTES : MAX_BYTES;
}

function sorted(files, maxBytes) {
  const loaded = files.map((file) => load(file, maxBytes));
  const proofs = loaded.filter((one) => !accompanies(one));
  return { loaded, proofs: proofs.length ? proofs : loaded };
}

const accompanies = (one) => isCompanion(one) || (one.kind === "json" && isAccount(one.value));

function checkLoaded(one, files, question, tables) {
  const others = files
    .filter((other) => other !== one && ["json", "root"].includes(other.kind))
    .map(({ value }) => value);
  if (one.kind === "large") {
    const text = "larger than 16 MiB: this page reads no more, use por check";
    return answer(one.name, null, "unsupported", { findings: [finding("too-large", text)] });
  }
  if (one.kind === "bad") return unrecognised(one.name, one.problem.code, one.problem.text);
  if (accompanies(one)) {
    const text = "accompanies a proof and proves nothing alone; hand it over together with the proof or tree";
    return unrecognised(one.name, "companion-alone", `${one.name}: ${text}`);
  }
  return one.kind === "rows" ? judgeList(one, question, others, tables) : checkValue(one, others, question, tables);
}

function checkValue({ name: file, value }, others, question, tables) {
  const named = isObject(value) ? value.get("format") : undefined;
  if (named === PROOF_FORMAT && [null, PROOF_FORMAT].includes(question.only)) return checkOwn(value, file, question);
  if (named === FRAUD_FORMAT) return checkFraud(value, file, tables.formats);
  const root = others.find((other) => typeof other === "string") ?? question.root;
  const facts = new Map([...question.facts, ...(root === null ? [] : [["root", root]])]);
  const trials = tryFormats(tables.formats, value, facts, others, question.only);
  // A file that fits nothing may be of a format that only the command line reads: that is no refusal.
  const fits = trials.some((trial) => trial.fits);
  if (!fits && tables.formats.some((format) => !isRead(format))) return answer(file, null, "unsupported");
  if (trials.length) return judgePath(file, trials, question, tables.warnings);
  const known = `${PROOF_FORMAT}, and the formats that \`por formats\` names`;
  const text = `${file}: no format known here is laid out like this; \`format\` is ${show(named)}; known: ${known}`;
  return unrecognised(file, "unknown-format", text);
}
