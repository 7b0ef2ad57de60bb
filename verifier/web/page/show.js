// Foreign values as short printable text, spelled as the command line spells them, so that both give one message.

import { Decimal } from "./decimal.js";
import { isObject } from "./json.js";

const SHOWN = 60;
const NO_PRINT = /[\p{C}\p{Z}]/u;

export const isPrintable = (text) => !NO_PRINT.test(text.replaceAll(" ", ""));

function escaped(letter, quote) {
  const code = letter.codePointAt(0);
  const named = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", [quote]: `\\${quote}` }[letter];
  if (named) return named;
  if (code >= 0x20 && code < 0x7f) return letter;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

export function ascii(value) {
  if (value === null || value === undefined) return "None";
  if (value === true || value === false) return value ? "True" : "False";
  if (typeof value === "bigint" || typeof value === "number") return String(value);
  if (value instanceof Decimal) return `Decimal('${value}')`;
  if (Array.isArray(value)) return `[${value.slice(0, SHOWN).map(ascii).join(", ")}]`;
  if (isObject(value)) {
    const entries = [...value].slice(0, SHOWN).map(([key, entry]) => `${ascii(key)}: ${ascii(entry)}`);
    return `{${entries.join(", ")}}`;
  }
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  return quote + Array.from(value, (letter) => escaped(letter, quote)).join("") + quote;
}

// A value as it would stand in a text: a text as it is, all else spelled out.
export const asText = (value) => (typeof value === "string" || value instanceof Decimal ? String(value) : ascii(value));

export function show(value) {
  const text = ascii(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1)}…`;
}
