// Read a proof in our own format: the header that was committed to, the account, and its leaves with their paths.

import { toHex } from "./bytes.js";
import { Decimal } from "./decimal.js";
import { Malformed } from "./faults.js";
import { ascii } from "./show.js";
import { MAX_DEPTH, MAX_LEAVES, TREE_FORMAT, commitmentDigest } from "./sum_tree.js";
import { readCount, readHex, readList, readPattern, readRecord, readSums, readText, readUtc } from "./wire.js";

export const PROOF_FORMAT = "reserve-verifier/inclusion-proof/1";
const MAX_ACCOUNT_BYTES = 10000;
const MAX_PARTS = 16;
const MAX_ASSETS = 2000;
const MAX_DECIMALS = 36n;
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const SYMBOL = /^[A-Za-z0-9][A-Za-z0-9._+$-]{0,31}$/;
const CHAIN = /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/;
const ASSET = /^[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}$/;
const HEADER_KEYS = ["format", "run_id", "as_of", "assets", "parts", "leaf_count", "depth", "root", "totals"];

export function readProof(value) {
  const record = readRecord(value, "proof", ["format", "commitment", "commitment_digest", "account", "leaves"]);
  if (record.format !== PROOF_FORMAT) throw new Malformed("malformed", `format: expected '${PROOF_FORMAT}'`);
  const commitment = readCommitment(record.commitment, "commitment");
  const leaves = readList(record.leaves, "leaves", 1, MAX_PARTS);
  return {
    commitment,
    digest: toHex(readHex(record.commitment_digest, "commitment_digest", 32)),
    account: readText(record.account, "account", MAX_ACCOUNT_BYTES),
    leaves: leaves.map((leaf, part) => readLeaf(leaf, `leaves.${part}`, commitment.assets.length)),
  };
}

export function readCommitment(value, where) {
  const record = readRecord(value, where, HEADER_KEYS);
  if (record.format !== TREE_FORMAT) throw new Malformed("malformed", `${where}.format: expected '${TREE_FORMAT}'`);
  const assets = readAssets(record.assets, `${where}.assets`);
  const header = {
    runId: readPattern(
      record.run_id,
      `${where}.run_id`,
      RUN_ID,
      "a run id of letters, digits and ._:- such as 2026-11",
    ),
    asOf: readUtc(record.as_of, `${where}.as_of`),
    assets,
    parts: Number(readCount(record.parts, `${where}.parts`, 1n, BigInt(MAX_PARTS))),
    leafCount: readCount(record.leaf_count, `${where}.leaf_count`, 1n, MAX_LEAVES),
    depth: Number(readCount(record.depth, `${where}.depth`, 0n, BigInt(MAX_DEPTH))),
    root: readHex(record.root, `${where}.root`, 32),
    totals: readSums(record.totals, `${where}.totals`, assets.length),
  };
  return { ...header, digest: commitmentDigest(canonicalHeader(header)) };
}

// RFC 8785: keys in order, no spaces; every value is an ASCII text or an integer below 2^53.
function canonicalHeader(header) {
  return JSON.stringify({
    as_of: header.asOf.text,
    assets: header.assets.map(({ asset, decimals, symbol }) => ({ asset, decimals, symbol })),
    depth: header.depth,
    format: TREE_FORMAT,
    leaf_count: Number(header.leafCount),
    parts: header.parts,
    root: toHex(header.root),
    run_id: header.runId,
    totals: header.totals.map(String),
  });
}

function readAssets(value, where) {
  const assets = readList(value, where, 1, MAX_ASSETS).map((entry, number) => readAsset(entry, `${where}.${number}`));
  for (const kind of ["asset", "symbol"]) {
    const seen = new Set();
    for (const { [kind]: name } of assets) {
      if (seen.has(name)) throw new Malformed("malformed", `${where}: the ${kind} ${name} is listed twice`);
      seen.add(name);
    }
  }
  return assets;
}

function readAsset(value, where) {
  const record = readRecord(value, where, ["asset", "symbol", "decimals"]);
  const asset = readText(record.asset, `${where}.asset`, 200);
  const slash = asset.indexOf("/");
  if (slash < 0 || !CHAIN.test(asset.slice(0, slash)) || !ASSET.test(asset.slice(slash + 1))) {
    const text = `${ascii(asset)} is not a CAIP-19 asset type; expected something like 'eip155:1/slip44:60'`;
    throw new Malformed("malformed", `${where}.asset: ${text}`);
  }
  if (asset.includes("/erc20:") && asset !== asset.toLowerCase()) {
    throw new Malformed("malformed", `${where}.asset: write '${asset.toLowerCase()}'`);
  }
  const symbol = readPattern(record.symbol, `${where}.symbol`, SYMBOL, "a symbol such as BTC");
  return { asset, symbol, decimals: Number(readCount(record.decimals, `${where}.decimals`, 0n, MAX_DECIMALS)) };
}

function readLeaf(value, where, assets) {
  const record = readRecord(value, where, ["salt", "balances", "index", "path"]);
  const path = readList(record.path, `${where}.path`, 0, MAX_DEPTH);
  return {
    salt: readHex(record.salt, `${where}.salt`, 16),
    balances: readSums(record.balances, `${where}.balances`, assets),
    index: readCount(record.index, `${where}.index`, 0n, MAX_LEAVES),
    path: path.map((step, number) => readStep(step, `${where}.path.${number}`, assets)),
  };
}

function readStep(value, where, assets) {
  const record = readRecord(value, where, ["hash", "sums"]);
  return { hash: readHex(record.hash, `${where}.hash`, 32), sums: readSums(record.sums, `${where}.sums`, assets) };
}

// Base units as whole coins by symbol.
export function wholeCoins(commitment, units) {
  const amounts = commitment.assets.map(({ symbol, decimals }, column) => [
    symbol,
    Decimal.of(units[column]).shifted(-decimals).plain(),
  ]);
  return Object.fromEntries(amounts);
}
