// Show answers as text, never as markup: whatever a file holds, it only ever becomes a text node.

import { STEPS } from "./grading.js";
import { explained, findingWords, gradeStep, headline, limit, say } from "./language.js";
import { isPrintable, ascii } from "./show.js";

const SHOWN_ASSETS = 50;
const MAX_SHOWN = 300;
const MARKS = { good: "✓", warn: "!", bad: "✕", unknown: "?" };
const TONES = {
  counted: "good",
  "counted-here": "warn",
  "list-alone": "warn",
  "list-intact": "warn",
  refused: "bad",
  "fraud-shown": "bad",
  "other-amount": "bad",
  "other-root": "bad",
  unrecognised: "unknown",
  unsupported: "unknown",
};

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name === "text") made.textContent = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Foreign text that can neither reverse the line nor fill the page.
export function foreign(text) {
  const shown = isPrintable(text) ? text : ascii(text);
  return shown.length <= MAX_SHOWN ? shown : `${shown.slice(0, MAX_SHOWN - 1)}…`;
}

export function kindOf(answer) {
  const codes = answer.findings.map((one) => one.code);
  if (answer.verdict === "accepted") {
    if (!answer.grade.included) return answer.own === null ? "list-alone" : "list-intact";
    return answer.grade.root_anchored ? "counted" : "counted-here";
  }
  if (answer.verdict !== "refused") return answer.verdict;
  if (codes.includes("fraud-proof-holds")) return "fraud-shown";
  if (codes.includes("root-not-published")) return "other-root";
  return codes.includes("balance-differs") ? "other-amount" : "refused";
}

export function answerArticle(answer, number) {
  const kind = kindOf(answer);
  const tone = TONES[kind];
  const id = `answer-${number}`;
  return element(
    "article",
    { class: tone, "aria-labelledby": id },
    headingPart(id, MARKS[tone], headline(kind)),
    element("p", { class: "name", text: foreign(answer.file) }),
    element("p", { text: explained(kind) }),
    amountsPart(answer),
    answer.verdict === "accepted" ? stepsPart(answer.grade) : null,
    findingsPart(answer),
    listPart(
      say("limits"),
      answer.limits.map((code) => element("li", { text: limit(code) })),
    ),
    detailsPart(answer),
  );
}

function headingPart(id, mark, text) {
  return element("h3", { id }, element("span", { "aria-hidden": "true", text: mark }), element("span", { text }));
}

function listPart(title, entries) {
  if (!entries.length) return null;
  return element("div", {}, element("h4", { text: title }), element("ul", {}, ...entries));
}

function stepsPart(grade) {
  const lines = STEPS.map((name) =>
    element(
      "li",
      { class: grade[name] ? "holds" : "holds-not" },
      element("span", { "aria-hidden": "true", text: grade[name] ? "✓" : "–" }),
      element("span", { text: grade[name] ? say("yes") : say("no") }),
      element("span", { text: gradeStep(name) }),
    ),
  );
  return element("div", {}, element("h4", { text: say("holds-here") }), element("ul", { class: "steps" }, ...lines));
}

function findingsPart({ verdict, findings }) {
  return listPart(say(`findings-${verdict}`), findings.map(findingEntry));
}

function findingEntry(one) {
  const { text, detail } = findingWords(one);
  const entry = element("li", {}, element("span", { text: foreign(text) }), " ");
  entry.append(element("span", { class: "code", text: `(${one.code})` }));
  if (detail === null) return entry;
  const english = element("span", { lang: "en", text: foreign(detail) });
  entry.append(element("span", { class: "detail" }, `${say("detail")}: `, english));
  return entry;
}

function amountsPart({ own, totals }) {
  const symbols = Object.keys({ ...own, ...totals }).filter((symbol) =>
    [own, totals].some((table) => (table?.[symbol] ?? "0") !== "0"),
  );
  if (!symbols.length) return null;
  const tables = [
    ["own", own],
    ["totals", totals],
  ].filter(([, table]) => table !== null);
  const cell = (text) => element("td", { text });
  const row = (symbol) =>
    element(
      "tr",
      {},
      element("th", { scope: "row", text: symbol }),
      ...tables.map(([, table]) => cell(table[symbol] ?? "0")),
    );
  const head = (text) => element("th", { scope: "col", text });
  return element(
    "div",
    {},
    element("h4", { text: say("amounts") }),
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, head(say("asset")), ...tables.map(([name]) => head(say(name))))),
      element("tbody", {}, ...symbols.slice(0, SHOWN_ASSETS).map(row)),
    ),
    symbols.length > SHOWN_ASSETS ? element("p", { class: "hint", text: say("amounts-more") }) : null,
  );
}

function detailsPart(answer) {
  const facts = [
    ["format", answer.format],
    ["run", answer.runId],
    ["as-of", answer.asOf],
    ["account", answer.account],
    ["root", answer.root],
    ["leaf", answer.leaf],
  ];
  const pairs = facts
    .filter(([, text]) => text !== null)
    .flatMap(([name, text]) => [element("dt", { text: say(name) }), element("dd", { text: foreign(text) })]);
  if (!pairs.length) return null;
  return element("details", {}, element("summary", { text: say("details") }), element("dl", {}, ...pairs));
}

// What the proofs say of each other.
export function poolArticle({ verdict, fraud }) {
  const good = verdict === "consistent";
  const lines = fraud.map((one) => {
    const entry = findingEntry(one);
    entry.append(element("span", { class: "detail", text: one.files.map(foreign).join(", ") }));
    return entry;
  });
  return element(
    "article",
    { class: good ? "good" : "bad", "aria-labelledby": "pool" },
    headingPart("pool", MARKS[good ? "good" : "bad"], headline(verdict)),
    element("p", { text: explained(verdict) }),
    lines.length ? element("ul", {}, ...lines) : null,
  );
}

export const recordPart = (record) =>
  element(
    "details",
    {},
    element("summary", { text: say("record") }),
    element("pre", { id: "record", tabindex: "0", lang: "en", text: JSON.stringify(record, null, 2) }),
  );

export function statusText(answers, pool) {
  const lines = answers.map(
    (answer) => `${MARKS[TONES[kindOf(answer)]]} ${foreign(answer.file)}: ${headline(kindOf(answer))}`,
  );
  if (pool.verdict !== "single") lines.push(headline(pool.verdict));
  return lines.join("\n");
}
