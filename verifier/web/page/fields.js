// The fields that a user fills in: read, and named when one makes no sense.

import { say } from "./language.js";
import { TABLES } from "./tables.js";

const ROOT = /^[0-9a-fA-F]{16,128}$/;
const AMOUNT = /^[0-9]{1,60}(?:\.[0-9]{1,60})?$/;

export const field = (id) => document.getElementById(id);

export function fault(id, code) {
  const place = field(`${id}-fault`);
  place.textContent = code ? say(code) : "";
  // Said again when the language changes.
  if (code) place.dataset.word = code;
  else delete place.dataset.word;
  field(id).setAttribute("aria-invalid", String(Boolean(code)));
  if (code) {
    field(id).closest("details")?.setAttribute("open", "");
    field(id).focus();
  }
  return Boolean(code);
}

// NAME=VALUE per line; null when a line is no such pair or a name stands twice.
function pairsOf(text, isValue) {
  const pairs = new Map();
  const lines = text.split("\n").map((one) => one.trim());
  for (const line of lines.filter(Boolean)) {
    const [name, ...rest] = line.split("=");
    const value = rest.join("=").trim();
    if (!rest.length || !name.trim() || pairs.has(name.trim()) || !isValue(value)) return null;
    pairs.set(name.trim(), value);
  }
  return pairs;
}

// The question that the fields ask about so many files, or null when one of them makes no sense.
export function readFields(files) {
  const root = field("root").value.trim();
  const expected = pairsOf(field("expect").value, (value) => AMOUNT.test(value));
  const facts = pairsOf(field("facts").value, () => true);
  const wrong = [
    fault("facts", facts ? null : "bad-facts"),
    fault("expect", expected ? null : "bad-expect"),
    fault("root", !root || ROOT.test(root) ? null : "bad-root"),
    fault("files", files ? null : "no-files"),
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
