// The templates by which a format writes what it hashes: text and raw bytes from named values.

import { fromHex, joined, littleEndian, toHex, utf8 } from "./bytes.js";
import { Malformed } from "./faults.js";
import { sha1 } from "./sha1.js";
import { hmac, sha256 } from "./sha256.js";

const FIELD = /\{([A-Za-z_][A-Za-z_0-9.]*)(?::(raw|u64|i64|pad16))?(?:\|(sha256))?\}/g;
const INTEGER = /^[ \t\n\r]*[-+]?[0-9]+[ \t\n\r]*$/;
const compiled = new Map();

function partsOf(template) {
  if (!compiled.has(template)) {
    const parts = [];
    let end = 0;
    for (const match of template.matchAll(FIELD)) {
      parts.push({ bytes: utf8(template.slice(end, match.index)) });
      parts.push({ name: match[1], form: match[2] ?? "", hashed: match[3] !== undefined });
      end = match.index + match[0].length;
    }
    parts.push({ bytes: utf8(template.slice(end)) });
    compiled.set(template, parts);
  }
  return compiled.get(template);
}

export const namesIn = (template) => new Set(partsOf(template).flatMap((part) => (part.name ? [part.name] : [])));

// `values` is a Map from names to texts, integers or bytes.
export function fill(template, values) {
  const out = partsOf(template).map((part) => {
    if (part.bytes) return part.bytes;
    if (!values.has(part.name)) throw new Malformed("malformed", `${part.name} is missing`);
    const value = formed(part.name, values.get(part.name), part.form);
    return part.hashed ? utf8(toHex(sha256(value))) : value;
  });
  return joined(out);
}

function formed(name, value, form) {
  try {
    if (form === "raw") return value instanceof Uint8Array ? value : fromHex(String(value));
    if (form === "u64" || form === "i64") return littleEndian(integer(value), 8, form === "i64");
    if (form === "pad16") return utf8(paddedInteger(integer(value)));
    return value instanceof Uint8Array ? value : utf8(String(value));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Malformed("malformed", `${name}: does not have the form that this format hashes`);
  }
}

function integer(value) {
  if (typeof value === "string" && !INTEGER.test(value)) throw new RangeError("not an integer");
  return BigInt(typeof value === "string" ? value.trim().replace(/^\+/, "") : value);
}

const paddedInteger = (value) =>
  value < 0n ? `-${String(-value).padStart(15, "0")}` : String(value).padStart(16, "0");

// `sha256`, `sha1`, `sha256d`; `/16` keeps 16 hex digits; `^` writes upper case.
export function digest(algorithm, message) {
  const [name, kept] = algorithm.replace(/\^$/, "").split("/");
  const raw = name === "sha1" ? sha1(message) : name === "sha256d" ? sha256(sha256(message)) : sha256(message);
  const text = kept ? toHex(raw).slice(0, Number(kept)) : toHex(raw);
  return algorithm.endsWith("^") ? text.toUpperCase() : text;
}

export function digestBits(algorithm) {
  const [name, kept] = algorithm.replace(/\^$/, "").split("/");
  if (kept) return 4 * Number(kept);
  return name === "sha1" ? 160 : 256;
}

// HMAC-SHA256 as lower-case hex, by which descriptions derive one secret from another.
export const keyed = (key, message) => toHex(hmac(key, message));
