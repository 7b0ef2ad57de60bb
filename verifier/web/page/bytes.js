// Bytes and texts: strict UTF-8, hex, base64 and fixed-width integers.

const HALF_PAIR = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
const HEX_BYTES = /^(?:[ \t\n\r\f\v]*[0-9a-fA-F]{2})*[ \t\n\r\f\v]*$/;
const HEX_PAIRS = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, "0"));
const BASE64 = /^([A-Za-z0-9+/]*)(={0,2})$/;
const encoder = new TextEncoder();

export const isUnicode = (text) => !HALF_PAIR.test(text);

// TextEncoder would silently replace half a surrogate pair; what is hashed must be what was read.
export function utf8(text) {
  if (!isUnicode(text)) throw new RangeError("half a surrogate pair is not text");
  return encoder.encode(text);
}

export function decodeUtf8(bytes) {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

export const toHex = (bytes) => Array.from(bytes, (byte) => HEX_PAIRS[byte]).join("");

export function fromHex(text) {
  if (!HEX_BYTES.test(text)) throw new RangeError("not hex");
  const digits = text.replace(/[ \t\n\r\f\v]/g, "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) => parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

export function fromBase64(text) {
  const match = BASE64.exec(text);
  const [letters, pads] = match ? [match[1].length % 4, match[2].length] : [1, 0];
  // Too much padding is let pass, as the command line does; too little is not.
  if (letters === 1 || (letters > 1 && pads < 4 - letters)) throw new RangeError("not base64");
  return Uint8Array.from(atob(match[1]), (letter) => letter.charCodeAt(0));
}

export function joined(parts) {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function bigEndian(value, size) {
  if (value < 0n || value >> BigInt(8 * size)) throw new RangeError("an integer does not fit");
  return fromHex(value.toString(16).padStart(2 * size, "0"));
}

export function littleEndian(value, size, signed = false) {
  const bits = BigInt(8 * size);
  const low = signed ? -(1n << (bits - 1n)) : 0n;
  const high = signed ? 1n << (bits - 1n) : 1n << bits;
  if (value < low || value >= high) throw new RangeError("an integer does not fit");
  return bigEndian(BigInt.asUintN(Number(bits), value), size).reverse();
}

export const sameBytes = (left, right) => left.length === right.length && left.every((byte, at) => byte === right[at]);

export function startsWith(bytes, prefix) {
  return bytes.length >= prefix.length && prefix.every((byte, at) => bytes[at] === byte);
}
