// Judge a proof in our own format: is this balance inside the liabilities tree the exchange committed to?

import { sameBytes, toHex } from "./bytes.js";
import { Decimal } from "./decimal.js";
import { Malformed, finding } from "./faults.js";
import { answer, grade } from "./grading.js";
import { PROOF_FORMAT, readProof, wholeCoins } from "./own_record.js";
import { addSums, depthOf, foldPath, leafNode, padding } from "./sum_tree.js";

const DAY = 86_400_000;

export function checkOwn(value, file, question) {
  try {
    return judgeOwn(readProof(value), file, question);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return answer(file, PROOF_FORMAT, "refused", { findings: [finding(error.code, error.message)] });
  }
}

function judgeOwn(proof, file, question) {
  const { commitment } = proof;
  // 1. Every leaf's path leads to the root, no sum wraps, padding is empty, no leaf is missing or told twice
  const faults = [...faultsOf(proof)];
  const included = !faults.length;
  // 2. The root is the published one; the balance is the expected one
  const anchored = included && question.root === commitment.digest;
  if (included && question.root !== null && !anchored) faults.push(notPublished(commitment, question.root));
  const balances = included ? balancesOf(proof) : null;
  if (included) faults.push(...unexpectedUnits(commitment, balances, question.expected));
  // 3. The snapshot is recent
  const age = question.now - commitment.asOf.moment;
  const fresh = included && age >= 0 && age <= question.maxAgeDays * DAY;
  const found = grade(included, included, included, anchored, fresh);
  const claims = included ? proof.leaves.map((_, part) => claimOf(proof, part, file)) : [];
  return answer(file, PROOF_FORMAT, faults.length ? "refused" : "accepted", {
    root: commitment.digest,
    leaf: included ? claims[0].leaf : null,
    own: included ? wholeCoins(commitment, balances) : null,
    totals: included ? wholeCoins(commitment, commitment.totals) : null,
    grade: found,
    findings: [...faults, ...(included && !fresh ? [staleFinding(commitment, question, age)] : [])],
    limits: faults.length ? [] : [...ownLimits(found, question.expected.size > 0)],
    account: proof.account,
    runId: commitment.runId,
    asOf: commitment.asOf.text,
    claims,
  });
}

const nodeOf = ({ commitment, leaves, account }, part) =>
  leafNode(commitment.runId, leaves[part].salt, account, leaves[part].balances, part);

const balancesOf = (proof) => proof.leaves.map((leaf) => leaf.balances).reduce(addSums);

function claimOf(proof, part, file) {
  const { runId, digest } = proof.commitment;
  const { index } = proof.leaves[part];
  return { file, runId, root: digest, index, leaf: toHex(nodeOf(proof, part).hash), account: proof.account, part };
}

function* faultsOf(proof) {
  const { commitment, leaves } = proof;
  if (proof.digest !== commitment.digest) {
    yield finding("commitment-differs", "the header in this file was changed: its digest is not the one beside it");
  }
  const named = (part) => (leaves.length > 1 ? `leaf ${part + 1} of ${leaves.length}: ` : "");
  const shape = [...headerFaults(commitment), ...leafCountFaults(proof)];
  leaves.forEach((leaf, part) => shape.push(...shapeFaults(commitment, leaf, named(part))));
  if (!shape.length) shape.push(...sumFaults(proof));
  yield* shape;
  if (shape.length) return;
  for (const [part, leaf] of leaves.entries()) {
    yield* paddingFaults(commitment, leaf, named(part));
    yield* rootFaults(proof, part, named(part));
  }
}

function* headerFaults({ depth, leafCount, parts }) {
  const needed = depthOf(leafCount);
  if (depth !== needed)
    yield finding("depth-differs", `${leafCount} leaves need depth ${needed}, the header says ${depth}`);
  if (leafCount % BigInt(parts)) {
    const text = `${leafCount} leaves in the header are no multiple of ${parts} leaves per account`;
    yield finding("parts-differ", text);
  }
}

function* leafCountFaults({ commitment, leaves }) {
  if (leaves.length !== commitment.parts) {
    const text = `the file has ${leaves.length} leaves; in this tree every account has ${commitment.parts}`;
    yield finding("parts-differ", text);
  }
  const seen = new Set();
  for (const { index } of leaves) {
    if (seen.has(index)) {
      const text = `leaf number ${index} stands in the file more than once: one balance would be counted twice`;
      yield finding("leaf-repeated", text);
    }
    seen.add(index);
  }
}

function* shapeFaults({ leafCount }, leaf, named) {
  const depth = depthOf(leafCount);
  if (leaf.path.length !== depth) {
    yield finding("path-length", `${named}the path has ${leaf.path.length} steps; this tree needs ${depth}`);
  }
  if (leaf.index >= leafCount) {
    const text = `${named}leaf number ${leaf.index} lies beyond the ${leafCount} leaves of the tree`;
    yield finding("index-beyond-tree", text);
  }
}

function* sumFaults(proof) {
  try {
    balancesOf(proof);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    yield finding("sum-overflow", `the account's leaves together: ${error.message}`);
  }
}

function* paddingFaults({ assets, leafCount }, leaf, named) {
  for (const [height, sibling] of leaf.path.entries()) {
    const firstPlace = ((leaf.index >> BigInt(height)) ^ 1n) << BigInt(height);
    const empty = padding(height, assets.length);
    const sameHash = sameBytes(sibling.hash, empty.hash);
    if (firstPlace >= leafCount) {
      if (!sameHash || sibling.sums.some((units) => units !== 0n)) {
        const text = `${named}step ${height + 1} of the path lies beyond the last leaf and is not empty`;
        yield finding("padding-carries-value", text);
      }
    } else if (sameHash) {
      const text = `${named}step ${height + 1} of the path is padding in a place where the header counts leaves`;
      yield finding("padding-inside", text);
    }
  }
}

function* rootFaults(proof, part, named) {
  const { commitment, leaves } = proof;
  let top;
  try {
    top = foldPath(nodeOf(proof, part), leaves[part].index, leaves[part].path);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    yield finding("sum-overflow", `${named}${error.message}`);
    return;
  }
  if (!sameBytes(top.hash, commitment.root)) {
    const text = `${named}the hashes do not lead to the root: the account, a balance or the path was changed`;
    yield finding("root-differs", text);
  }
  if (top.sums.some((units, column) => units !== commitment.totals[column])) {
    yield finding("totals-differ", `${named}the sums on the path do not add up to the totals in the header`);
  }
}

function notPublished(commitment, root) {
  const text =
    root === toHex(commitment.root)
      ? `${root} is the tree's top hash; compare the commitment digest, here ${commitment.digest}`
      : `the exchange published ${root}, this proof belongs to ${commitment.digest}`;
  return finding("root-not-published", text);
}

function* unexpectedUnits(commitment, balances, expected) {
  const counted = wholeCoins(commitment, balances);
  for (const [name, amount] of expected) {
    const asset = commitment.assets.find((one) => name === one.asset || name === one.symbol);
    const wanted = Decimal.parse(amount);
    if (asset === undefined) {
      if (!wanted.isZero)
        yield finding("balance-differs", `you expect ${amount} ${name}, but this tree does not cover ${name}`);
    } else if (!wanted.equals(Decimal.parse(counted[asset.symbol]))) {
      const text = `you expect ${amount} ${name}, but the exchange counted ${counted[asset.symbol]}`;
      yield finding("balance-differs", text);
    }
  }
}

function staleFinding(commitment, question, age) {
  const { text } = commitment.asOf;
  if (age < 0) return finding("as-of-in-future", `the tree says it is of ${text}, which lies in the future`);
  return finding("stale", `the tree is of ${text}, more than ${question.maxAgeDays} days ago`);
}

function* ownLimits(found, expected) {
  if (!found.root_anchored) yield "tree-not-compared";
  if (!expected) yield "balance-not-compared";
  if (!found.fresh) yield "not-recent";
  yield* ["others-not-counted", "other-root-for-others", "coins-not-checked"];
}
