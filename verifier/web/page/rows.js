// Read the lines of a published tree or leaf list one by one.

import { readAmount, readBalances } from "./amounts.js";
import { decodeUtf8 } from "./bytes.js";
import { Malformed, NotAProof } from "./faults.js";
import { readPairs } from "./json.js";
import { hashOf } from "./path.js";
import { show } from "./show.js";
import { trimmed, wholePattern, wordsOf } from "./spaces.js";
import { digest, fill } from "./template.js";

const MAX_LINE = 64 * 1024;
const HEAD_LINES = 8;
const LINE_FEED = 10;
const MARK = "\ufeff";
const patterns = new Map();

export function matchWhole(pattern, text) {
  if (!patterns.has(pattern)) patterns.set(pattern, wholePattern(pattern));
  return patterns.get(pattern).exec(text);
}

const isComment = (rule, line) => rule.comment !== undefined && matchWhole(rule.comment, line) !== null;
const partsOf = (match) => new Map(Object.entries(match.groups ?? {}).map(([name, text]) => [name, text ?? ""]));

// Whether the first lines of a file look like this format's.
export function fitsHead(recipe, head) {
  const rule = recipe.rows;
  const headers = rule.header ?? [];
  let lines = head.split("\n").filter(trimmed).slice(0, HEAD_LINES);
  if (!head.endsWith("\n") && lines.length > 2) lines = lines.slice(0, -1);
  lines = lines.map((line) => line.replace(/\r+$/, ""));
  if (lines.length <= headers.length || !headers.every((wanted, number) => matchWhole(wanted, lines[number])))
    return false;
  const first = lines.slice(headers.length).find((line) => !isComment(rule, line));
  return first !== undefined && matchWhole(rule.row, first) !== null;
}

function* linesOf(bytes) {
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found + 1;
    yield { raw: bytes.subarray(start, end), cut: found < 0 };
    start = end;
  }
}

function decodedLine(raw, number) {
  if (raw.length > MAX_LINE) throw new Malformed("malformed", `line ${number}: longer than ${MAX_LINE} bytes`);
  let text;
  try {
    text = decodeUtf8(raw).replace(/[\r\n]+$/, "");
  } catch {
    throw new Malformed("malformed", `line ${number}: not UTF-8`);
  }
  return number <= 1 && text.startsWith(MARK) ? text.slice(1) : text;
}

// The named parts of a file's header lines.
export function headerOf(recipe, bytes) {
  const found = new Map();
  const lines = linesOf(bytes);
  for (const wanted of recipe.rows.header ?? []) {
    const line = lines.next().value;
    const match = line ? matchWhole(wanted, decodedLine(line.raw, 0).replace(MARK, "")) : null;
    if (match) for (const [name, text] of partsOf(match)) found.set(name, text);
  }
  return found;
}

// The rows of a file; one that is not in the format is malformed.
export function* readRows(recipe, bytes) {
  const rule = recipe.rows;
  const skip = (rule.header ?? []).length;
  let [number, count, blank, ended] = [0, 0, false, false];
  for (const { raw, cut } of linesOf(bytes)) {
    number += 1;
    if (number <= skip) continue;
    const text = decodedLine(raw, number);
    if (!trimmed(text) || isComment(rule, text)) {
      blank ||= !trimmed(text);
      continue;
    }
    const match = matchWhole(rule.row, text);
    if (!match && rule.tail !== undefined && !ended && matchWhole(rule.tail, text)) {
      ended = true;
      continue;
    }
    if (!match || blank || ended) throw misplaced(number, text, match !== null, cut);
    const row = rowOf(recipe, number, match);
    const numbered = row.parts.get("number");
    if (numbered && BigInt(numbered) !== BigInt(count)) {
      throw new Malformed("order-differs", `line ${number}: is numbered ${numbered}, not ${count}`);
    }
    count += 1;
    yield row;
  }
}

function misplaced(number, text, isRow, cut) {
  const what = isRow ? "stands after the end of the list" : "is not in this format";
  const code = isRow ? "trailing-rows" : cut ? "partial-row" : "malformed";
  return new Malformed(code, `line ${number}: ${show(text)} ${what}`);
}

// The named parts of a file's last line, where the format ends with a summary.
export function tailOf(recipe, bytes) {
  const text = new TextDecoder("utf-8").decode(bytes.subarray(Math.max(0, bytes.length - MAX_LINE)));
  const last = text
    .split(/\r\n|[\r\n]/)
    .filter(trimmed)
    .at(-1);
  const match = last === undefined ? null : matchWhole(recipe.rows.tail, last);
  return match ? partsOf(match) : null;
}

function rowOf(recipe, line, match) {
  const rule = recipe.rows;
  const parts = partsOf(match);
  const level = parts.get("level") ? Number(parts.get("level")) : null;
  const hash =
    rule.hash_of === undefined
      ? parts.get("hash")
      : digest(hashOf(recipe), fill(rule.hash_of, new Map([...parts, ["line", match[0]]])));
  return { line, level, hash, amount: amountOf(rule, parts, line), parts };
}

// A BigInt where the list has one coin, else a table of exact amounts.
function amountOf(rule, parts, line) {
  const where = `line ${line}`;
  if (parts.has("balances")) {
    const { amounts } = readBalances(pairsOf(rule, parts.get("balances"), where), where);
    const coins = [...amounts.keys()];
    if (
      rule.coins?.length &&
      (coins.length !== rule.coins.length || coins.some((coin, at) => coin !== rule.coins[at]))
    ) {
      throw new Malformed("coins-differ", `${where}: expected the coins ${rule.coins.join(", ")}`);
    }
    if ([...amounts.values()].some((amount) => amount.isNegative)) {
      throw new Malformed("negative-balance", `${where}: holds less than zero; that hides what others own`);
    }
    return amounts;
  }
  const text = parts.get("value") ?? "";
  if (!rule.sum_lines) return text ? unitsOf(text, rule.decimals ?? 0, where) : 0n;
  const { amount } = readAmount(text, where);
  if (amount.isNegative) throw new Malformed("negative-balance", `${where}: ${show(text)} is negative`);
  return new Map([[rule.coin, amount]]);
}

function unitsOf(text, decimals, where) {
  if (text.startsWith("-")) {
    throw new Malformed("negative-balance", `${where}: ${show(text)} is negative; that hides what others own`);
  }
  const [whole, fraction] = text.split(".");
  const oddPoint = fraction !== undefined && fraction.length !== decimals;
  if (whole.length > 30 || (whole !== "0" && whole.startsWith("0")) || oddPoint) {
    throw new Malformed("non-canonical-number", `${where}: ${show(text)} is not in its one spelling`);
  }
  return BigInt(whole + (fraction ?? ""));
}

function pairsOf(rule, text, where) {
  if (rule.balances_kind === "words") {
    if (text === "none") return [];
    const words = text.split(":").map(wordsOf);
    if (words.some((pair) => pair.length !== 2)) {
      throw new Malformed("malformed", `${where}: ${show(text)} is no list of amounts and coins`);
    }
    return words.map(([amount, coin]) => [coin, amount]);
  }
  try {
    return readPairs(text);
  } catch (error) {
    if (!(error instanceof NotAProof)) throw error;
    throw new Malformed("malformed", `${where}: ${show(text)} is not JSON`);
  }
}
