// A strict JSON reader: objects become Maps, integers BigInt, other numbers exact decimals; duplicates are refused.

import { isUnicode } from "./bytes.js";
import { Decimal } from "./decimal.js";
import { NotAProof } from "./faults.js";

const MAX_DEPTH = 64;
const MAX_DIGITS = 400;
const MAX_EXPONENT = 400;
const SPACE = /[ \t\n\r]*/y;
const NUMBER_TEXT = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?(?:[eE]([-+]?[0-9]+))?/y;
const PLAIN_CHARACTERS = /[^"\\\u0000-\u001f]*/y;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const WORDS = [
  ["true", true],
  ["false", false],
  ["null", null],
];

export const isObject = (value) => value instanceof Map;

// Nothing, false, zero, or empty.
export const isEmpty = (value) => !value || value.length === 0 || value.size === 0 || value.isZero === true;

const numberOf = (value) => (["bigint", "boolean"].includes(typeof value) ? Decimal.of(BigInt(value)) : value);

// Whether two values say the same; 8 and 8.0 are one number.
export function sameValue(left, right) {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((entry, number) => sameValue(entry, right[number]));
  }
  if (isObject(left) && isObject(right)) {
    return (
      left.size === right.size && [...left].every(([key, entry]) => right.has(key) && sameValue(entry, right.get(key)))
    );
  }
  const [one, other] = [numberOf(left), numberOf(right)];
  return one instanceof Decimal && other instanceof Decimal ? one.equals(other) : left === right;
}

class JsonReader {
  constructor(text, paired = false) {
    this.text = text;
    this.at = 0;
    this.halfPair = false;
    this.paired = paired;
  }

  fault(what) {
    const before = this.text.slice(0, this.at).split("\n");
    const place = `line ${before.length} column ${before.at(-1).length + 1}`;
    return new NotAProof(`not JSON: ${what} at ${place}`);
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at += found[0].length;
    return found;
  }

  peek() {
    this.match(SPACE);
    return this.text[this.at];
  }

  document() {
    const value = this.value(1);
    if (this.peek() !== undefined) throw this.fault("more after the end");
    return value;
  }

  value(depth) {
    const first = this.peek();
    if (depth > MAX_DEPTH && (first === "{" || first === "["))
      throw new NotAProof(`nested deeper than ${MAX_DEPTH} levels`);
    if (first === '"') return this.string();
    if (first === "{") return this.object(depth);
    if (first === "[") return this.list(depth);
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    return this.number();
  }

  number() {
    const match = this.match(NUMBER_TEXT);
    if (!match) throw this.fault("a value is missing");
    const [text, whole, fraction, exponent] = match;
    if (text.length > MAX_DIGITS)
      throw new NotAProof(`a number of ${text.length} digits; at most ${MAX_DIGITS} are read`);
    if (fraction === undefined && exponent === undefined) return BigInt(whole);
    if (exponent !== undefined && (exponent.length > 5 || Math.abs(Number(exponent)) > MAX_EXPONENT)) {
      throw new NotAProof(`a number has an exponent beyond ${MAX_EXPONENT}`);
    }
    return Decimal.parse(text);
  }

  string() {
    this.at += 1;
    const parts = [];
    for (;;) {
      parts.push(this.match(PLAIN_CHARACTERS)[0]);
      const mark = this.text[this.at];
      if (mark === '"') break;
      if (mark !== "\\") throw this.fault("a text does not end, or holds a control character");
      parts.push(this.escape());
    }
    this.at += 1;
    const text = parts.join("");
    if (!isUnicode(text)) this.halfPair = true;
    return text;
  }

  escape() {
    const letter = this.text[this.at + 1];
    if (letter === "u") {
      const digits = this.text.slice(this.at + 2, this.at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.fault("an escape is cut off");
      this.at += 6;
      return String.fromCharCode(parseInt(digits, 16));
    }
    if (letter === undefined || !Object.hasOwn(ESCAPES, letter)) throw this.fault("an unknown escape");
    this.at += 2;
    return ESCAPES[letter];
  }

  list(depth) {
    this.at += 1;
    const entries = [];
    if (this.peek() === "]") return this.closed(entries);
    for (;;) {
      entries.push(this.value(depth + 1));
      if (this.peek() === "]") return this.closed(entries);
      this.comma();
    }
  }

  object(depth) {
    this.at += 1;
    const pairs = [];
    const keys = new Set();
    if (this.peek() === "}") return this.ended(pairs);
    for (;;) {
      if (this.peek() !== '"') throw this.fault("a key is missing");
      const key = this.string();
      if (keys.has(key) && !this.paired)
        throw new NotAProof(`the key '${key.slice(0, 40)}' appears twice in one object`);
      if (this.peek() !== ":") throw this.fault("a colon is missing");
      this.at += 1;
      keys.add(key);
      pairs.push([key, this.value(depth + 1)]);
      if (this.peek() === "}") return this.ended(pairs);
      this.comma();
    }
  }

  ended(pairs) {
    return this.closed(this.paired ? pairs : new Map(pairs));
  }

  closed(value) {
    this.at += 1;
    return value;
  }

  comma() {
    if (this.text[this.at] !== ",") throw this.fault("a comma is missing");
    this.at += 1;
  }
}

// Return the value, and whether some text holds half a surrogate pair.
export function readJson(text) {
  const reader = new JsonReader(text);
  const value = reader.document();
  return { value, halfPair: reader.halfPair };
}

// Objects as lists of pairs, for readers that say themselves what a repeated key means.
export const readPairs = (text) => new JsonReader(text, true).document();
