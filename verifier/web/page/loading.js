// Look at the files that strangers hand over: uncompressed UTF-8 text, bounded before it is decoded.

import { decodeUtf8, startsWith } from "./bytes.js";
import { NotAProof, finding } from "./faults.js";
import { isObject, readJson } from "./json.js";
import { PROOF_FORMAT } from "./own_record.js";

export const MAX_BYTES = 4 * 1024 * 1024;
export const MAX_LIST_BYTES = 16 * 1024 * 1024;
const HEAD_BYTES = 64 * 1024;
const BYTES_PER_ENTRY = 16;
const ROOT = /^\s*(?:0x)?([0-9a-fA-F]{16,128})\s*$/;
const TABLE = /^(?=[^\n]*\bproof\b)(?=[^\n]*\baudit_id\b)[ \w,]+\r?\n/;
const MARK = [0xef, 0xbb, 0xbf];
const PACKED = [
  [0x50, 0x4b, 3, 4],
  [0x50, 0x4b, 5, 6],
  [0x1f, 0x8b],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a],
  [0x37, 0x7a, 0xbc, 0xaf],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0x52, 0x61, 0x72, 0x21],
];
const SPACES = new Set([9, 10, 11, 12, 13, 32]);
const JSON_STARTS = new Set(["{", "[", '"'].map((letter) => letter.charCodeAt(0)));
const COMMA = 44;

// Files that belong to somebody's proof and prove nothing alone: keys by which they are known.
const COMPANIONS = [
  ["root_hash", "root_balances"],
  ["protocol", "snapshotId", "root", "userTotals"],
  ["userMerkleRoot", "userHeadHash", "n"],
];

const hasKeys = (value, keys) => isObject(value) && keys.every((key) => value.has(key));
const bad = (name, code, why) => ({ name, kind: "bad", value: null, problem: finding(code, `${name}: ${why}`) });

// Return { name, kind, value }: `json`, `table` or `root`; `rows` with their bytes; `large` or `bad`.
export function load({ name, bytes, large = false, fault = null }, maxBytes = MAX_BYTES) {
  if (large) return { name, kind: "large", value: null };
  if (fault !== null) return { name, kind: "bad", value: null, problem: finding("not-a-proof", fault) };
  try {
    return looked(name, bytes, maxBytes);
  } catch (error) {
    if (error instanceof NotAProof) return bad(name, "not-a-proof", error.message);
    throw error;
  }
}

function looked(name, bytes, maxBytes) {
  const body = startsWith(bytes, MARK) ? bytes.subarray(3) : bytes;
  const head = bytes.subarray(0, HEAD_BYTES);
  if (PACKED.some((magic) => startsWith(bytes, magic))) return bad(name, "compressed", "compressed; unpack it first");
  if (startsWith(bytes, [0xff, 0xfe]) || startsWith(bytes, [0xfe, 0xff]) || head.includes(0)) {
    return bad(name, "not-a-proof", "not UTF-8 text; save it as UTF-8");
  }
  const first = body.subarray(0, HEAD_BYTES).find((byte) => !SPACES.has(byte));
  if (first === undefined || JSON_STARTS.has(first)) return loadJson(name, bytes, body, maxBytes);
  return loadText(name, bytes, body);
}

function loadJson(name, bytes, body, maxBytes) {
  if (bytes.length > maxBytes) throw new NotAProof(`larger than ${maxBytes} bytes`);
  // Millions of tiny entries cost far more to decode than their bytes tell.
  if (body.reduce((count, byte) => count + (byte === COMMA), 0) > maxBytes / BYTES_PER_ENTRY) {
    return bad(name, "too-long", "more entries than any proof has");
  }
  const { value, halfPair } = readJson(decoded(body));
  const ours = isObject(value) && value.get("format") === PROOF_FORMAT;
  if (halfPair && !ours) {
    return bad(name, "not-a-proof", "half a surrogate pair is not text, so that it cannot be hashed");
  }
  return { name, kind: "json", value };
}

function decoded(bytes) {
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new NotAProof("not UTF-8 text; save it as UTF-8");
  }
}

function loadText(name, bytes, body) {
  const whole = bytes.length < HEAD_BYTES;
  const head = whole ? decoded(body) : decodedHead(body.subarray(0, HEAD_BYTES - (bytes.length - body.length)));
  const root = whole ? ROOT.exec(head) : null;
  if (root) return { name, kind: "root", value: root[1].toLowerCase() };
  if (TABLE.test(head)) {
    if (bytes.length > MAX_BYTES) throw new NotAProof(`larger than ${MAX_BYTES} bytes`);
    return { name, kind: "table", value: decoded(body) };
  }
  return { name, kind: "rows", value: head, bytes };
}

// A cut through the last character is no fault of the file.
function decodedHead(bytes) {
  for (let cut = 0; cut < 4; cut += 1) {
    try {
      return decodeUtf8(bytes.subarray(0, bytes.length - cut));
    } catch {
      continue;
    }
  }
  throw new NotAProof("not UTF-8 text; save it as UTF-8");
}

// Whether a file only accompanies a proof: roots, anchors, metadata.
export function isCompanion({ kind, value }) {
  if (kind === "root") return true;
  if (kind !== "json" || !isObject(value)) return false;
  const audit = value.get("audit");
  return (
    COMPANIONS.some((keys) => hasKeys(value, keys)) ||
    (isObject(audit) && audit.has("partitions")) ||
    (hasKeys(value.get("root"), ["sum", "hash"]) && !value.has("self"))
  );
}

// Whether a file tells which leaves of a published list are one user's.
export const isOkxAccount = (value) => hasKeys(value, ["hash", "nodes", "nonce", "totalBalances"]);
export const isAccount = (value) => isOkxAccount(value) || (isObject(value) && value.has("userHeadHash"));
