// Readers for the formats whose files no description can state, by the name that the description gives.

import { MAX_STEPS, readPath } from "./layout.js";
import { Malformed, OtherLayout, finding } from "./faults.js";
import { isObject } from "./json.js";
import { show } from "./show.js";
import { trimmed } from "./spaces.js";
import { readBifinance } from "./special_bifinance.js";
import { readHotcoin } from "./special_hotcoin.js";
import { readLemon } from "./special_lemon.js";
import { readMaxwell } from "./special_maxwell.js";
import { readNested } from "./special_nested.js";
import { readSwissborg } from "./special_swissborg.js";

export const SPECIAL_READERS = {
  bifinance: readBifinance,
  hotcoin: readHotcoin,
  lemon: readLemon,
  maxwell: readMaxwell,
  mexc: readMexc,
  nested: readNested,
  pionex: readPionex,
  swissborg: readSwissborg,
};

const isInteger = (value) => typeof value === "bigint";

// MEXC leaves out the levels where an account has no neighbour; put them back as padding.
function readMexc(recipe, value, facts) {
  const path = isObject(value) ? value.get("pathList") : undefined;
  if (!Array.isArray(path) || !path.length || !path.every(isObject)) throw new OtherLayout("pathList");
  const levels = path.map((entry) => entry.get("level") ?? null);
  const depth = levels.at(-1);
  if (!isInteger(depth) || depth <= 0n || depth > MAX_STEPS || path.length > MAX_STEPS) {
    throw new Malformed("malformed", `the root's level is ${show(depth)}`);
  }
  const rising = levels.every(
    (level, number) => isInteger(level) && level >= 0n && (!number || level > levels[number - 1]),
  );
  if (!rising) throw new Malformed("height-differs", "the levels of the path are not in order, or one stands twice");
  const byLevel = new Map(levels.map((level, number) => [level, path[number]]));
  const absent = (level) =>
    new Map([
      ["level", level],
      ["type", 2n],
      ["hash", ""],
      ["balances", new Map()],
    ]);
  const steps = Array.from(
    { length: Number(depth) },
    (_, level) => byLevel.get(BigInt(level)) ?? absent(BigInt(level)),
  );
  return [readPath(recipe, new Map([...value, ["pathList", [...steps, path.at(-1)]]]), facts)];
}

// Pionex names each neighbour by its place in the tree, counted from 1 at the root; an odd one stands right.
function readPionex(recipe, value, facts) {
  if (!isObject(value) || !value.has("path")) throw new OtherLayout("path");
  const given = value.get("path");
  const path = typeof given === "string" ? given.split(",") : given;
  const isPath = Array.isArray(path) && path.length <= MAX_STEPS && path.every((entry) => typeof entry === "string");
  if (!isPath) throw new OtherLayout("path");
  const entries = path.map(placeAndHash).sort(downwards);
  const steps = entries.map(
    ([place, hash]) =>
      new Map([
        ["hash", hash],
        ["index_parity", place % 2n],
      ]),
  );
  const proof = readPath(recipe, new Map([...value, ["path", steps]]), facts);
  return [{ ...proof, faults: [...proof.faults, ...misplaced(entries.map(([place]) => place))] }];
}

function downwards([place, hash], [otherPlace, otherHash]) {
  if (place !== otherPlace) return place > otherPlace ? -1 : 1;
  return hash > otherHash ? -1 : Number(hash < otherHash);
}

function placeAndHash(text) {
  const entry = trimmed(text);
  const colon = entry.indexOf(":");
  if (colon < 0) throw new OtherLayout("path");
  const place = entry.slice(0, colon);
  if (!/^[1-9][0-9]{0,17}$/.test(place) || place === "1") {
    throw new Malformed("malformed", `${show(text.slice(0, 60))}: no place beside a path`);
  }
  return [BigInt(place), entry.slice(colon + 1)];
}

function misplaced(places) {
  for (let number = 1; number < places.length; number += 1) {
    const [below, above] = [places[number - 1], places[number]];
    let ancestor = below >> 1n;
    while (ancestor > 0n && (ancestor ^ 1n) !== above) ancestor >>= 1n;
    if (!ancestor) return [finding("index-beyond-tree", `place ${above} is not beside the path above place ${below}`)];
  }
  return [];
}
