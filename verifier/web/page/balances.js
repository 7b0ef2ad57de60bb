// Balances in the shapes that exchanges give them: an object, a list of records, or a text such as `BTC:1,ETH:2`.

import { readBalances } from "./amounts.js";
import { Malformed, OtherLayout } from "./faults.js";
import { isObject } from "./json.js";

const MAX_TEXT = 10000;

export function balancesOf(recipe, value, where) {
  const layout = recipe.layout ?? {};
  const found = readBalances(pairsOf(layout, value, where), where, Boolean(layout.exponent));
  const fixed = recipe.coins;
  if (fixed === undefined) return found;
  if (found.amounts.size !== fixed.length || !fixed.every((coin) => found.amounts.has(coin))) {
    if (where === "self") throw new OtherLayout(where);
    throw new Malformed("coins-differ", `${where}: not [${fixed.map((coin) => `'${coin}'`).join(", ")}]`);
  }
  const inOrder = (table) => new Map(fixed.map((coin) => [coin, table.get(coin)]));
  return { amounts: inOrder(found.amounts), texts: inOrder(found.texts) };
}

function pairsOf(layout, value, where) {
  const kind = layout.balances_kind ?? "object";
  if (kind === "text") {
    if (typeof value !== "string" || value.length > MAX_TEXT) throw new OtherLayout(where);
    return value ? value.split(",").map(coinAndAmount) : [];
  }
  if (kind === "records") {
    if (!Array.isArray(value) || !value.every(isObject)) throw new OtherLayout(where);
    const [coin, amount] = layout.record_keys;
    return value.map((entry) => [entry.get(coin) ?? null, entry.get(amount) ?? null]);
  }
  if (!isObject(value)) throw new OtherLayout(where);
  return value;
}

function coinAndAmount(entry) {
  const colon = entry.lastIndexOf(":");
  return [entry.slice(0, Math.max(colon, 0)), entry.slice(colon + 1)];
}
