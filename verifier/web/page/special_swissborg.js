// SwissBorg proves each holding in a tree of its currency, and commits to all trees' roots together.

import { readAmount, writeBalances } from "./amounts.js";
import { utf8 } from "./bytes.js";
import { Malformed, OtherLayout, finding } from "./faults.js";
import { isObject, sameValue } from "./json.js";
import { MAX_STEPS, canonicalHash } from "./layout.js";
import { hashOf, pathProof, step } from "./path.js";
import { asText, show } from "./show.js";
import { digest, fill, keyed } from "./template.js";

const MAX_HOLDINGS = 2000;
const MAX_SHOWN_ID = 200;
const COMMITMENT = "SB PoL - Audit commitment hash";
const MISSING = "the leaf was not rebuilt from your credential: give --fact credential=… to bind it to you";

const isRoots = (value) => isObject(value) && isObject(value.get("audit")) && value.get("audit").has("partitions");

// The audit's roots come from another file, the credential from the user.
export function readSwissborg(recipe, value, facts, companions) {
  if (!isObject(value) || !["audit_id", "user_id", "liabilities"].every((key) => value.has(key))) {
    throw new OtherLayout("liabilities");
  }
  const holdings = value.get("liabilities");
  if (!Array.isArray(holdings) || !holdings.length || holdings.length > MAX_HOLDINGS) {
    throw new Malformed("malformed", `liabilities: expected 1 to ${MAX_HOLDINGS} entries`);
  }
  const { partitions, commitment, faults } = partitionsOf(recipe, auditOf(value, companions));
  const placed = holdings.filter((one) => isObject(one) && isObject(one.get("proof")));
  const places = placed.map((one) =>
    show([one.get("audit_partition_id") ?? null, one.get("proof").get("leaf_index") ?? null]),
  );
  if (new Set(places).size !== holdings.length) {
    throw new Malformed("duplicate-rows", "one leaf stands twice among your holdings");
  }
  return holdings.map((holding, number) => {
    const partition = partitions.get(asText(holding.get("audit_partition_id")));
    if (!partition) throw new Malformed("malformed", `liabilities.${number}: the audit has no such partition`);
    return proofOf(recipe, { value, holding, partition, facts, commitment, faults: number ? [] : faults });
  });
}

function auditOf(value, companions) {
  const audits = companions.filter(isRoots).map((one) => one.get("audit"));
  const audit = audits.find((one) => sameValue(one.get("id") ?? null, value.get("audit_id")));
  if (audit) return audit;
  const what = audits.length ? "are of another audit" : "are missing: hand over the audit's roots file as well";
  throw new Malformed("companion-missing", `the roots of audit ${show(value.get("audit_id"))} ${what}`);
}

function partitionsOf(recipe, audit) {
  const commitment = audit.get("commitment");
  const entries = audit.get("partitions");
  const digests = (one) =>
    isObject(one) &&
    isObject(one.get("commitment")) &&
    one.has("currency") &&
    one.has("id") &&
    one.get("commitment").has("liability") &&
    one.get("commitment").has("digest");
  if (!isObject(commitment) || !commitment.has("digest") || !Array.isArray(entries) || !entries.every(digests)) {
    throw new Malformed("malformed", "the audit's roots file lacks a part");
  }
  const rows = entries.map((one) => ({
    currency: one.get("currency"),
    id: one.get("id"),
    liability: one.get("commitment").get("liability"),
    root: one.get("commitment").get("digest"),
  }));
  const allTexts = rows.every((row) => Object.values(row).every((text) => typeof text === "string"));
  if (!allTexts || new Set(rows.map((row) => row.id)).size !== rows.length) {
    throw new Malformed("malformed", "the audit's roots file names a partition twice or has a value that is no text");
  }
  const partitions = new Map();
  let message = COMMITMENT;
  const upper = (row) => row.currency.toUpperCase();
  for (const row of rows.sort((left, right) =>
    upper(left) < upper(right) ? -1 : Number(upper(left) > upper(right)),
  )) {
    const { amount } = readAmount(row.liability, row.id);
    message += `,${row.id},${amount.plain()},${canonicalHash(recipe, row.root, row.id)}`;
    partitions.set(row.id, { currency: row.currency, amount, root: row.root });
  }
  const fits = digest(hashOf(recipe), utf8(message)) === commitment.get("digest");
  const fault = finding("commitment-differs", "the audit's commitment is not that of the roots in its file");
  return { partitions, commitment: asText(commitment.get("digest")), faults: fits ? [] : [fault] };
}

function proofOf(recipe, { value, holding, partition, facts, commitment, faults }) {
  const proof = holding.get("proof");
  const { currency } = partition;
  const { index, witnesses } = placeOf(proof);
  const { amount, text } = readAmount(holding.get("liability") ?? null, currency);
  const [user, audit] = [textOf(value.get("user_id")), textOf(value.get("audit_id"))];
  const fields = new Map([
    ["user_id", user],
    ["audit_id", audit],
    ["currency", currency],
    ["leaf_index", index],
    ...facts,
  ]);
  const known = facts.has("credential");
  for (const rule of known ? recipe.derive : [])
    fields.set(rule.name, keyed(fill(rule.key, fields), fill(rule.text, fields)));
  const own = new Map([[currency, amount]]);
  fields.set("own", writeBalances(own, recipe.own, new Map([[currency, text]])));
  // The file's `nonce` is the leaf's hash in some versions; with the credential the leaf is rebuilt instead.
  const leaf = known
    ? digest(hashOf(recipe), fill(recipe.leaf_template, fields))
    : canonicalHash(recipe, textOf(proof.get("nonce") ?? null), "nonce");
  fields.delete("own");
  const unread = known && proof.get("nonce") !== leaf ? ["liabilities.proof.nonce"] : [];
  return pathProof({
    fields: new Map([...fields, ["published_root", commitment]]),
    own,
    leaf,
    faults,
    ownTexts: new Map([[currency, text]]),
    steps: stepsOf(recipe, currency, index, witnesses),
    root: partition.root,
    rootSums: new Map([[currency, partition.amount]]),
    run: audit.slice(0, MAX_SHOWN_ID),
    account: user.slice(0, MAX_SHOWN_ID),
    unbound: [...unread, ...unreadKeys(value, holding)],
    notes: known ? [] : [finding("balance-not-bound", MISSING)],
  });
}

function placeOf(proof) {
  const [index, witnesses] = [proof.get("leaf_index"), proof.get("witnesses")];
  if (typeof index !== "bigint" || !Array.isArray(witnesses) || !witnesses.length || witnesses.length > MAX_STEPS) {
    throw new Malformed("malformed", "leaf_index or witnesses are missing");
  }
  if (index < 0n || index >= 1n << BigInt(witnesses.length)) {
    throw new Malformed("index-beyond-tree", `leaf ${index} lies beyond a tree of ${witnesses.length} levels`);
  }
  return { index, witnesses };
}

function unreadKeys(value, holding) {
  const beyond = (table, known, prefix) =>
    [...table.keys()].filter((key) => !known.includes(key)).map((key) => prefix + key);
  const witnesses = holding.get("proof").get("witnesses");
  return [
    ...beyond(value, ["audit_id", "user_id", "liabilities"], ""),
    ...beyond(holding, ["audit_partition_id", "liability", "proof"], "liabilities."),
    ...beyond(holding.get("proof"), ["leaf_index", "nonce", "witnesses"], "liabilities.proof."),
    ...new Set(witnesses.flatMap((one) => beyond(one, ["digest", "liability"], "witnesses."))),
  ];
}

function stepsOf(recipe, currency, index, witnesses) {
  return witnesses.map((witness, number) => {
    if (!isObject(witness)) throw new Malformed("malformed", `witnesses.${number}: expected an object`);
    const { amount } = readAmount(witness.get("liability") ?? null, `witnesses.${number}`);
    const hash = canonicalHash(recipe, textOf(witness.get("digest") ?? null), `witnesses.${number}`);
    return step(hash, new Map([[currency, amount]]), Boolean((index >> BigInt(number)) & 1n));
  });
}

function textOf(value) {
  if (typeof value !== "string" || value.length > 1000)
    throw new Malformed("malformed", `${show(value)}: expected a text`);
  return value;
}
