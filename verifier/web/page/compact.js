// A proof small enough for a QR code or a link (`POR1:`): unpacked into the record that a proof file holds.

import { decodeUtf8, joined, startsWith, toHex, utf8 } from "./bytes.js";
import { Malformed, NotAProof } from "./faults.js";
import { readJson } from "./json.js";
import { MAX_BYTES } from "./loading.js";
import { PROOF_FORMAT, readCommitment } from "./own_record.js";
import { MAX_UNITS, readText } from "./wire.js";
import { MAX_LEAVES } from "./sum_tree.js";

const PREFIX = "POR1:";
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const MAX_VARINT = 19;
const MAX_ACCOUNT_BYTES = 10000;

const malformed = (text) => new Malformed("malformed", text);

// Return a file's bytes, or those of the JSON record where the file is a compact proof.
export async function expanded({ name, bytes }) {
  const start = bytes.findIndex((byte) => ![9, 10, 11, 12, 13, 32].includes(byte));
  if (start !== 0 || !startsWith(bytes, utf8(PREFIX)) || bytes.length > MAX_BYTES) return bytes;
  try {
    const text = decodeUtf8(bytes).trim().slice(PREFIX.length);
    return utf8(JSON.stringify(recordOf(await inflated(fromBase45(text)))));
  } catch (error) {
    if (!(error instanceof Malformed || error instanceof NotAProof || error instanceof TypeError)) throw error;
    throw new NotAProof(`${name}: ${error.message}`);
  }
}

async function inflated(packed) {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return joined(parts);
    size += value.length;
    if (size > MAX_BYTES) throw malformed("the compact proof is cut off, too large, or followed by more");
    parts.push(value);
  }
}

function fromBase45(text) {
  const values = Array.from(text, (letter) => ALPHABET.indexOf(letter));
  if (values.length % 3 === 1 || values.includes(-1)) {
    throw malformed(`not Base45 after '${PREFIX}': a character is missing or foreign`);
  }
  const raw = [];
  for (let at = 0; at < values.length; at += 3) {
    const [low, middle, high = 0] = values.slice(at, at + 3);
    const size = Math.min(3, values.length - at) - 1;
    const value = low + 45 * middle + 2025 * high;
    if (value >= 256 ** size) throw malformed(`not Base45 after '${PREFIX}': out of range`);
    raw.push(...(size === 2 ? [value >> 8, value & 255] : [value]));
  }
  return Uint8Array.from(raw);
}

class Reader {
  constructor(body) {
    this.body = body;
    this.at = 0;
  }

  take(size) {
    const taken = this.body.subarray(this.at, this.at + size);
    if (taken.length !== size) throw malformed("the compact proof is cut off");
    this.at += size;
    return taken;
  }

  varint() {
    let value = 0n;
    for (let place = 0; place < MAX_VARINT; place += 1) {
      const [byte] = this.take(1);
      value |= BigInt(byte & 0x7f) << BigInt(7 * place);
      if (byte >= 0x80) continue;
      if (value > MAX_UNITS || (byte === 0 && place)) break;
      return value;
    }
    throw malformed("the compact proof has a number that is too large or written in two ways");
  }

  sized() {
    return this.take(Number(this.varint()));
  }

  sums(count) {
    return Array.from({ length: count }, () => String(this.varint()));
  }

  leaf(assets, depth) {
    const salt = toHex(this.take(16));
    const index = this.varint();
    const balances = this.sums(assets);
    if (index > MAX_LEAVES) throw malformed("the compact proof has a leaf number that is too large");
    const path = Array.from({ length: depth }, () => ({ hash: toHex(this.take(32)), sums: this.sums(assets) }));
    return { salt, balances, index: Number(index), path };
  }
}

function recordOf(body) {
  const reader = new Reader(body);
  const header = decodeUtf8(reader.sized());
  const commitment = readCommitment(readJson(header).value, "commitment");
  const account = readText(decodeUtf8(reader.sized()), "account", MAX_ACCOUNT_BYTES);
  const leaves = Array.from({ length: commitment.parts }, () =>
    reader.leaf(commitment.assets.length, commitment.depth),
  );
  if (reader.at !== body.length) throw malformed("the compact proof goes on after its end");
  return {
    format: PROOF_FORMAT,
    commitment: JSON.parse(header),
    commitment_digest: commitment.digest,
    account,
    leaves,
  };
}
