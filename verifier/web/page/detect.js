// Find out by trying which format a file has; two that fit are both named, never one silently picked.

import { Malformed, OtherLayout, finding } from "./faults.js";
import { readPath } from "./layout.js";
import { walk } from "./path.js";
import { SPECIAL_READERS } from "./special.js";

// Return the trials of every format whose layout the file has; when some fit, only those.
export function tryFormats(formats, value, facts, companions, only) {
  const trials = [];
  for (const format of formats) {
    if (format.container !== "path" || (only && only !== format.name) || !isRead(format)) continue;
    const trial = best(format.variants.map((recipe) => tryOne(format.name, recipe, value, facts, companions)));
    if (trial) trials.push(trial);
  }
  const fitting = trials.filter((trial) => trial.fits);
  return fitting.length ? fitting : trials.sort((left, right) => right.closeness - left.closeness);
}

export const isRead = (format) =>
  format.container !== "path" || format.special === null || Object.hasOwn(SPECIAL_READERS, format.special);

function best(trials) {
  const laidOut = trials.filter(Boolean);
  const fitting = laidOut.filter((trial) => trial.fits);
  const among = fitting.length ? fitting : laidOut;
  return among.reduce((top, trial) => (top && top.closeness >= trial.closeness ? top : trial), null);
}

function tryOne(name, recipe, value, facts, companions) {
  try {
    const special = recipe.special === undefined ? null : SPECIAL_READERS[recipe.special];
    const proofs = special ? special(recipe, value, facts, companions) : [readPath(recipe, value, facts)];
    return trialOf(
      name,
      recipe,
      proofs,
      proofs.map((proof) => walk(recipe, proof)),
      null,
    );
  } catch (error) {
    if (error instanceof OtherLayout) return null;
    if (error instanceof Malformed) return trialOf(name, recipe, [], [], finding(error.code, error.message));
    throw error;
  }
}

function trialOf(name, recipe, proofs, walks, error) {
  const kinds = (walked) => new Set(walked.faults.map((fault) => fault.code)).size;
  return {
    name,
    recipe,
    proofs,
    walks,
    error,
    fits: error === null && walks.length > 0 && walks.every((walked) => walked.fits),
    faults: [...(error ? [error] : []), ...walks.flatMap((walked) => walked.faults)],
    closeness: error ? 0 : walks.reduce((sum, walked) => sum + 3 - kinds(walked), 0),
  };
}
