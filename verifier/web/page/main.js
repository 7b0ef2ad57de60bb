// The page itself: take files and fields, ask, and show the answer in the reader's language.

import { checkFiles, reportOf, tooManyForExpected } from "./check.js";
import { expanded } from "./compact.js";
import { NotAProof } from "./faults.js";
import { MAX_LIST_BYTES } from "./loading.js";
import { LANGUAGES, language, say, speak } from "./language.js";
import { PROOF_FORMAT } from "./own_record.js";
import { poolAnswers } from "./pool.js";
import { TABLES } from "./tables.js";
import { answerArticle, element, foreign, poolArticle, recordPart, statusText } from "./view.js";

const ROOT = /^[0-9a-fA-F]{16,128}$/;
const AMOUNT = /^[0-9]{1,60}(?:\.[0-9]{1,60})?$/;
const field = (id) => document.getElementById(id);

let handedOver = [];
let report = null;

function showWords() {
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = say(place.dataset.word);
  for (const place of document.querySelectorAll("[data-label]"))
    place.setAttribute("aria-label", say(place.dataset.label));
  for (const button of document.querySelectorAll(".languages button")) {
    button.setAttribute("aria-pressed", String(button.lang === language()));
  }
  field("format").options[0].textContent = say("format-any");
  document.title = say("title");
  showAnswers();
}

function showAnswers() {
  field("chosen").replaceChildren(...handedOver.map((file) => element("li", { text: foreign(file.name) })));
  const status = field("status");
  status.textContent = report ? statusText(report.answers, report.pool) : say("no-answer");
  // The headline of a single answer says the same to who can see it.
  status.classList.toggle("unseen", report?.answers.length === 1);
  if (!report) return;
  const articles = report.answers.map(answerArticle);
  if (report.pool.verdict !== "single") articles.unshift(poolArticle(report.pool));
  field("answers").replaceChildren(...articles, recordPart(reportOf(report.answers, report.pool)));
}

function fault(id, code) {
  field(`${id}-fault`).textContent = code ? say(code) : "";
  field(id).setAttribute("aria-invalid", String(Boolean(code)));
  if (code) field(id).focus();
  return Boolean(code);
}

// NAME=VALUE per line; null when a line is no such pair or a name stands twice.
function pairsOf(text, isValue) {
  const pairs = new Map();
  for (const line of text
    .split(/[\n;]/)
    .map((one) => one.trim())
    .filter(Boolean)) {
    const [name, ...rest] = line.split("=");
    const value = rest.join("=").trim();
    if (!rest.length || !name.trim() || pairs.has(name.trim()) || !isValue(value)) return null;
    pairs.set(name.trim(), value);
  }
  return pairs;
}

function readQuestion() {
  const root = field("root").value.trim();
  const expected = pairsOf(field("expect").value, (value) => AMOUNT.test(value));
  const facts = pairsOf(field("facts").value, () => true);
  const wrong = [
    fault("facts", facts ? null : "bad-facts"),
    fault("expect", expected ? null : "bad-expect"),
    fault("root", !root || ROOT.test(root) ? null : "bad-root"),
    fault("files", handedOver.length ? null : "no-files"),
  ];
  if (wrong.includes(true)) return null;
  const only = field("format").value || null;
  return {
    root: root ? root.toLowerCase() : null,
    expected,
    facts,
    only,
    now: Date.now(),
    maxAgeDays: TABLES.max_age_days,
  };
}

async function readFile(file) {
  const { name } = file;
  if (file.size > MAX_LIST_BYTES) return { name, large: true };
  try {
    return { name, bytes: await expanded({ name, bytes: new Uint8Array(await file.arrayBuffer()) }) };
  } catch (error) {
    if (error instanceof NotAProof) return { name, fault: error.message };
    // A folder, or a file that was taken away meanwhile.
    return { name, fault: `${name}: cannot be read` };
  }
}

async function ask() {
  const question = readQuestion();
  if (!question) return;
  field("status").textContent = say("checking");
  const files = await Promise.all(handedOver.map(readFile));
  if (fault("expect", tooManyForExpected(files, question) ? "expect-one" : null)) return;
  const answers = checkFiles(files, question, TABLES);
  report = { answers, pool: poolAnswers(answers) };
  showAnswers();
}

function take(files) {
  handedOver = [...files];
  showAnswers();
  if (handedOver.length) ask();
}

function start() {
  for (const [code, name] of LANGUAGES) {
    const button = element("button", { type: "button", lang: code, text: name });
    button.addEventListener("click", () => {
      speak(code);
      showWords();
    });
    document.querySelector(".languages").append(button);
  }
  const choices = TABLES.formats.map(({ name, title }) =>
    element("option", { value: name, text: `${name}: ${title}` }),
  );
  const ours = element("option", { value: PROOF_FORMAT, text: PROOF_FORMAT });
  field("format").append(element("option", { value: "" }), ours, ...choices);
  field("files").addEventListener("change", () => take(field("files").files));
  field("question").addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  // A file dropped beside the field must not replace the page.
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      field("drop").classList.toggle("over", kind === "dragover");
      if (kind === "drop") take(event.dataTransfer.files);
    });
  }
  speak(language());
  showWords();
}

start();
