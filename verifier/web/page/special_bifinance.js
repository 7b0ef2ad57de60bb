// bifinance lists both nodes of every level; walk up from the user's own entry, which its own tool never looks at.

import { readBalances } from "./amounts.js";
import { Malformed, OtherLayout, finding } from "./faults.js";
import { isEmpty, isObject } from "./json.js";
import { MAX_STEPS, canonicalHash } from "./layout.js";
import { hashOf, pathProof, step } from "./path.js";
import { asText, show } from "./show.js";
import { digest, fill } from "./template.js";

const KEYS = ["merkelLeaf", "level", "role"];
const READ = [...KEYS, "parentMerkelLeaf"];
const MAX_SHOWN_ID = 200;

const hasKeys = (entry) => isObject(entry) && KEYS.every((key) => entry.has(key));

export function readBifinance(recipe, value) {
  const { own, path } = partsOf(value);
  const nodes = levelsOf(recipe, [...path, own]);
  const levels = [...nodes.keys()].sort((left, right) => left - right);
  if (nodes.get(0)?.length !== 1 || levels.some((level, number) => level !== number)) {
    throw new Malformed("malformed", "the levels do not count down to one root at level 0");
  }
  const leaf = canonicalHash(recipe, own.get("merkelLeaf"), "self");
  if (own.get("level") !== BigInt(levels.at(-1))) {
    throw new Malformed("leaf-not-on-path", "your entry does not stand on the lowest level");
  }
  const steps = climbed(recipe, nodes, leaf, levels.at(-1));
  const balances = isEmpty(own.get("balances")) ? new Map() : own.get("balances");
  if (!isObject(balances)) throw new OtherLayout("balances");
  const extra = path.flatMap((entry) => [...entry.keys()]).filter((key) => !READ.includes(key));
  return [
    pathProof({
      own: readBalances(balances, "self").amounts,
      steps,
      leaf,
      root: nodes.get(0)[0].hash,
      run: shownId(own.get("auditId")),
      account: shownId(own.get("encryptUid")),
      faults: parentFaults([...path, own], nodes),
      unbound: [
        ...[...own.keys()].filter((key) => !READ.includes(key)).map((key) => `self.${key}`),
        ...[...new Set(extra.map((key) => `path.${key}`))].sort(),
      ],
    }),
  ];
}

const shownId = (value) => (value === undefined ? "" : asText(value)).slice(0, MAX_SHOWN_ID) || null;

function partsOf(value) {
  const own = isObject(value) ? value.get("self") : null;
  const path = isObject(value) ? value.get("path") : null;
  if (!hasKeys(own) || !Array.isArray(path) || !path.every(hasKeys)) throw new OtherLayout("self");
  const hash = own.get("merkelLeaf");
  if (path.length > 2 * MAX_STEPS || typeof hash !== "string" || hash.length !== 64) throw new OtherLayout("path");
  const levels = path.map((entry) => entry.get("level")).filter((level) => typeof level === "bigint");
  if (!levels.includes(0n) || levels.some((level) => level < 0n)) throw new OtherLayout("level");
  return { own, path };
}

// Hash and role of the nodes by level; an entry that repeats another is one node.
function levelsOf(recipe, entries) {
  const levels = new Map();
  entries.forEach((entry, number) => {
    const [level, role, text] = ["level", "role", "merkelLeaf"].map((key) => entry.get(key));
    if (typeof level !== "bigint" || typeof role !== "bigint" || level < 0n || level > MAX_STEPS) {
      throw new Malformed("malformed", `path.${number}: level ${show(level)}, role ${show(role)}`);
    }
    if (![1n, 2n, 3n].includes(role) || (role === 3n) !== (level === 0n) || typeof text !== "string") {
      throw new Malformed("malformed", `path.${number}: role ${show(role)} at level ${level}`);
    }
    const hash = canonicalHash(recipe, text, `path.${number}`);
    const found = levels.get(Number(level)) ?? [];
    if (!found.some((node) => node.hash === hash && node.role === role)) found.push({ hash, role });
    levels.set(Number(level), found);
  });
  return levels;
}

function climbed(recipe, nodes, leaf, lowest) {
  const steps = [];
  let own = leaf;
  for (let level = lowest; level > 0; level -= 1) {
    const here = nodes.get(level);
    const mine = here.find((node) => node.hash === own);
    if (!mine || here.length > 2 || new Set(here.map((node) => node.role)).size !== here.length) {
      throw new Malformed("leaf-not-on-path", `level ${level} does not hold your path and its one neighbour`);
    }
    const other = here.find((node) => node !== mine);
    steps.push(other ? step(other.hash, new Map(), other.role === 1n) : step(own, new Map(), false, true));
    const { hash, left } = steps.at(-1);
    own = digest(
      hashOf(recipe),
      fill(
        recipe.node,
        new Map([
          ["L", left ? hash : own],
          ["R", left ? own : hash],
        ]),
      ),
    );
  }
  return steps;
}

function parentFaults(entries, nodes) {
  for (const entry of entries) {
    const [parent, level] = [entry.get("parentMerkelLeaf"), entry.get("level")];
    const above = nodes.get(Number(level) - 1) ?? [];
    if (!isEmpty(parent) && !above.some((node) => node.hash === parent)) {
      return [finding("parent-differs", `an entry of level ${level} names a parent that is not there`)];
    }
  }
  return [];
}
