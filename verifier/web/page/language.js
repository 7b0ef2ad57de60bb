// Words in the reader's language; a word that a language lacks is said in English.

import { TABLES } from "./tables.js";

const { words, warnings } = TABLES;
export const LANGUAGES = Object.entries(words.languages);

let current = navigator.language.toLowerCase().startsWith("ja") ? "ja" : "en";

export const language = () => current;

export function speak(chosen) {
  current = chosen;
  document.documentElement.lang = chosen;
}

const looked = (table, code) => words[table][current]?.[code] ?? words[table].en?.[code];

export const say = (code) => looked("ui", code);
export const headline = (code) => looked("headlines", code);
export const explained = (code) => looked("explained", code);
export const gradeStep = (code) => looked("grade", code);
export const limit = (code) => looked("limits", code);

// What a finding says, and beside a translation what it says in detail.
export function findingWords({ code, text }) {
  const detail = Object.entries(words.options.en).reduce((said, [option, word]) => said.replaceAll(option, word), text);
  const translated = words.findings[current]?.[code];
  if (!translated) return { text: detail, detail: null };
  // A sentence that is always the same is said by its translation.
  return { text: translated, detail: text === warnings[code] ? null : detail };
}
