// SHA-256 (FIPS 180-4) and HMAC (RFC 2104), synchronous, so that a path can be rebuilt step by step.

import { joined } from "./bytes.js";

const ROUNDS = 64;

function firstPrimes(count) {
  const primes = [];
  for (let number = 2; primes.length < count; number += 1) {
    if (primes.every((prime) => number % prime)) primes.push(number);
  }
  return primes;
}

// The constants are the first 32 bits of the fractions of roots of primes; integers keep them exact.
function rootFraction(prime, degree) {
  const scaled = BigInt(prime) << BigInt(32 * degree);
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** BigInt(degree) <= scaled) low = middle;
    else high = middle;
  }
  return Number(low & 0xffffffffn);
}

const PRIMES = firstPrimes(ROUNDS);
const START = Uint32Array.from(PRIMES.slice(0, 8), (prime) => rootFraction(prime, 2));
const CONSTANTS = Uint32Array.from(PRIMES, (prime) => rootFraction(prime, 3));
const words = new Uint32Array(ROUNDS);

const turn = (word, by) => (word >>> by) | (word << (32 - by));

export function padded(message) {
  const size = (message.length + 72) & ~63;
  const blocks = new Uint8Array(size);
  blocks.set(message);
  blocks[message.length] = 0x80;
  const view = new DataView(blocks.buffer);
  view.setUint32(size - 8, Math.floor(message.length / 2 ** 29));
  view.setUint32(size - 4, message.length << 3);
  return view;
}

export function sha256(message) {
  const view = padded(message);
  const state = START.slice();
  for (let at = 0; at < view.byteLength; at += 64) mixBlock(state, view, at);
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((word, number) => out.setUint32(4 * number, word));
  return new Uint8Array(out.buffer);
}

function mixBlock(state, view, at) {
  for (let t = 0; t < 16; t += 1) words[t] = view.getUint32(at + 4 * t);
  for (let t = 16; t < ROUNDS; t += 1) {
    const early = words[t - 15];
    const late = words[t - 2];
    const small = turn(early, 7) ^ turn(early, 18) ^ (early >>> 3);
    const large = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10);
    words[t] = words[t - 16] + small + words[t - 7] + large;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < ROUNDS; t += 1) {
    const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + CONSTANTS[t] + words[t]) | 0;
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, number) => {
    state[number] += word;
  });
}

export function hmac(key, message) {
  const block = new Uint8Array(64);
  block.set(key.length > 64 ? sha256(key) : key);
  const inner = sha256(joined([block.map((byte) => byte ^ 0x36), message]));
  return sha256(joined([block.map((byte) => byte ^ 0x5c), inner]));
}
