// The page itself: take files and fields, ask, and show the answer in the reader's language.

import { checkFiles, reportOf, tooManyForExpected } from "./check.js";
import { expanded } from "./compact.js";
import { NotAProof } from "./faults.js";
import { MAX_LIST_BYTES } from "./loading.js";
import { field, fault, readFields } from "./fields.js";
import { LANGUAGES, language, say, speak } from "./language.js";
import { PROOF_FORMAT } from "./own_record.js";
import { poolAnswers } from "./pool.js";
import { TABLES } from "./tables.js";
import { answerArticle, element, foreign, poolArticle, recordPart, statusText } from "./view.js";

let handedOver = [];
let report = null;
let asked = 0;

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

// An answer stands only as long as the question it answers.
function withdraw(word) {
  asked += 1;
  report = null;
  field("answers").replaceChildren();
  field("status").textContent = say(word);
  field("status").classList.remove("unseen");
}

async function ask() {
  withdraw("checking");
  const turn = asked;
  const question = readFields(handedOver.length);
  if (!question) return withdraw("no-answer");
  const files = await Promise.all(handedOver.map(readFile));
  if (turn !== asked) return undefined;
  if (fault("expect", tooManyForExpected(files, question) ? "expect-one" : null)) return withdraw("no-answer");
  try {
    const answers = checkFiles(files, question, TABLES);
    report = { answers, pool: poolAnswers(answers) };
  } catch (error) {
    console.error(error);
    return withdraw("broken");
  }
  return showAnswers();
}

function take(files) {
  if (!files.length) return;
  handedOver = [...files];
  showAnswers();
  ask();
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
  field("files").addEventListener("change", () => {
    take(field("files").files);
    // The same file, chosen again after it was changed, is a new file.
    field("files").value = "";
  });
  for (const id of ["root", "expect", "facts", "format"]) {
    field(id).addEventListener("input", () => (report ? withdraw("changed") : undefined));
  }
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
  // On paper nobody can open what is folded.
  window.addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("article details")) folded.open = true;
  });
  speak(language());
  showWords();
}

start();
