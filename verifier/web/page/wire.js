// Read our own records field by field: exact keys, exact types, one spelling per value, a bound on everything.

import { fromHex, isUnicode, utf8 } from "./bytes.js";
import { Malformed } from "./faults.js";
import { isObject } from "./json.js";
import { show } from "./show.js";

export const MAX_UNITS = (1n << 128n) - 1n;
const UNITS = /^(?:0|[1-9][0-9]{0,38})$/;
const UTC = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z$/;

const malformed = (where, text) => new Malformed("malformed", `${where}: ${text}`);

export function readRecord(value, where, keys) {
  if (!isObject(value)) throw malformed(where, `expected an object, found ${show(value)}`);
  const missing = keys.filter((key) => !value.has(key)).sort();
  if (missing.length) throw malformed(where, `'${missing[0]}' is missing`);
  const unknown = [...value.keys()].filter((key) => !keys.includes(key)).sort();
  if (unknown.length) throw malformed(where, `unknown key ${show(unknown[0])}`);
  return Object.fromEntries(keys.map((key) => [key, value.get(key)]));
}

export function readList(value, where, minimum, maximum) {
  if (!Array.isArray(value)) throw malformed(where, `expected a list, found ${show(value)}`);
  if (value.length < minimum || value.length > maximum) {
    throw malformed(where, `${value.length} entries; expected ${minimum} to ${maximum}`);
  }
  return value;
}

export function readText(value, where, maxBytes) {
  if (typeof value !== "string" || !value) throw malformed(where, `expected a text, found ${show(value)}`);
  if (!isUnicode(value)) throw malformed(where, "half a surrogate pair is not text");
  const size = utf8(value).length;
  if (size > maxBytes) throw malformed(where, `${size} bytes of text; at most ${maxBytes}`);
  return value;
}

export function readPattern(value, where, pattern, expected) {
  if (typeof value !== "string" || !pattern.test(value)) {
    throw malformed(where, `expected ${expected}, found ${show(value)}`);
  }
  return value;
}

export function readHex(value, where, size) {
  if (typeof value !== "string" || value.length !== 2 * size || !/^[0-9a-f]+$/.test(value)) {
    throw malformed(where, `expected ${2 * size} lower-case hex digits, found ${show(value)}`);
  }
  return fromHex(value);
}

export function readCount(value, where, minimum, maximum) {
  if (typeof value !== "bigint" || value < minimum || value > maximum) {
    throw malformed(where, `expected an integer ${minimum} to ${maximum}, found ${show(value)}`);
  }
  return value;
}

export function readUnits(value, where) {
  const text = typeof value === "string" ? value : "";
  if (UNITS.test(text) && BigInt(text) <= MAX_UNITS) return BigInt(text);
  if (/^-[0-9]+$/.test(text)) {
    throw new Malformed("negative-amount", `${where}: ${show(value)} is negative; nobody can be owed less than zero`);
  }
  if (/^[1-9][0-9]*$/.test(text)) {
    throw new Malformed("sum-overflow", `${where}: ${show(value)} exceeds 2^128 - 1 base units`);
  }
  throw malformed(where, `expected base units as a text of decimal digits such as "150", found ${show(value)}`);
}

export function readSums(value, where, count) {
  return readList(value, where, count, count).map((entry, number) => readUnits(entry, `${where}.${number}`));
}

// A UTC time such as 2026-11-22T00:00:00Z that names a real moment, and its milliseconds since 1970.
export function readUtc(value, where) {
  readPattern(value, where, UTC, "a UTC time such as 2026-11-22T00:00:00Z");
  const [year, month, day, hour, minute, second] = UTC.exec(value).slice(1).map(Number);
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day);
  moment.setUTCHours(hour, minute, second);
  if (year < 1 || moment.toISOString() !== `${value.slice(0, -1)}.000Z`) {
    throw malformed(where, `${value} is no moment of the calendar`);
  }
  return { text: value, moment: moment.getTime() };
}
