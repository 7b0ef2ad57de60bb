// SHA-1 (FIPS 180-4): broken, but some exchanges publish trees that are made of it.

import { padded } from "./sha256.js";

const CONSTANTS_1 = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6];

const rolled = (word, by) => (word << by) | (word >>> (32 - by));

export function sha1(message) {
  const view = padded(message);
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  const schedule = new Int32Array(80);
  for (let at = 0; at < view.byteLength; at += 64) {
    for (let t = 0; t < 80; t += 1) {
      schedule[t] =
        t < 16
          ? view.getInt32(at + 4 * t)
          : rolled(schedule[t - 3] ^ schedule[t - 8] ^ schedule[t - 14] ^ schedule[t - 16], 1);
    }
    let [a, b, c, d, e] = state;
    for (let t = 0; t < 80; t += 1) {
      const quarter = Math.floor(t / 20);
      const mixed = [(b & c) | (~b & d), b ^ c ^ d, (b & c) | (b & d) | (c & d), b ^ c ^ d][quarter];
      const next = (rolled(a, 5) + mixed + e + CONSTANTS_1[quarter] + schedule[t]) | 0;
      [e, d, c, b, a] = [d, c, rolled(b, 30), a, next];
    }
    [a, b, c, d, e].forEach((word, number) => {
      state[number] = (state[number] + word) | 0;
    });
  }
  const out = new DataView(new ArrayBuffer(20));
  state.forEach((word, number) => out.setUint32(4 * number, word >>> 0));
  return new Uint8Array(out.buffer);
}
