// Amounts as each exchange's tool reads, adds and writes them: exactly, by coin, in the order of the file.

import { toHex, utf8 } from "./bytes.js";
import { Decimal, ZERO } from "./decimal.js";
import { Malformed } from "./faults.js";
import { sha256 } from "./sha256.js";
import { show } from "./show.js";

export const MAX_COINS = 2000;
const PLAIN = /^-?(?:0|[1-9][0-9]{0,79})(?:\.[0-9]{1,80})?$/;
const EXPONENT = /^-?[0-9](?:\.[0-9]{1,40})?E[-+]?[0-9]{1,2}$/;
const LOOSE = /^[-+]?(?:[0-9]{1,100}\.?[0-9]{0,100}|\.[0-9]{1,100})$/;
const BITSO = /([0-9]+(?:\.[0-9]+[1-9])?)(?:\.?0+$)/;
const COIN = /^[!-~]{1,64}$/;

// Return the amount and its spelling.
export function readAmount(value, where, exponent = false) {
  const amount = exactAmount(value, where, exponent);
  if (amount.adjusted > 80 || -amount.exponent > 80) {
    throw new Malformed("non-canonical-number", `${where}: ${show(String(value))} is too long`);
  }
  if (amount.isZero && amount.negative) throw new Malformed("non-canonical-number", `${where}: minus zero`);
  return { amount, text: typeof value === "string" ? value : String(amount) };
}

function exactAmount(value, where, exponent) {
  if (typeof value === "bigint") return Decimal.of(value);
  if (value instanceof Decimal) return value;
  if (typeof value !== "string") throw new Malformed("malformed", `${where}: expected an amount, found ${show(value)}`);
  if (!PLAIN.test(value) && !(exponent && EXPONENT.test(value))) {
    const code = LOOSE.test(value) ? "non-canonical-number" : "not-a-number";
    throw new Malformed(code, `${where}: ${show(value)} is not a plain decimal number such as 1.5`);
  }
  return Decimal.parse(value);
}

// Return { amounts, texts } by coin; a coin stands once.
export function readBalances(pairs, where, exponent = false) {
  const amounts = new Map();
  const texts = new Map();
  for (const [coin, value] of pairs) {
    if (typeof coin !== "string" || !COIN.test(coin))
      throw new Malformed("malformed", `${where}: ${show(coin)} is no coin`);
    if (amounts.has(coin)) throw new Malformed("duplicate-key", `${where}: ${coin} stands twice`);
    const { amount, text } = readAmount(value, `${where}.${coin}`, exponent);
    amounts.set(coin, amount);
    texts.set(coin, text);
    if (amounts.size > MAX_COINS) throw new Malformed("malformed", `${where}: more than ${MAX_COINS} coins`);
  }
  return { amounts, texts };
}

// The sums coin by coin, in the order of the left side; some tools cut digits beyond `decimals`.
export function addBalances(left, right, decimals) {
  const total = new Map(left);
  try {
    for (const [coin, amount] of right) total.set(coin, total.has(coin) ? total.get(coin).plus(amount) : amount);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Malformed("sum-overflow", "a sum has more digits than this program adds exactly");
  }
  if (decimals !== undefined) {
    for (const [coin, amount] of total) if (-amount.exponent > decimals) total.set(coin, amount.cut(decimals));
  }
  return total;
}

// A coin that is missing counts as zero.
export function sameAmounts(left, right) {
  const coins = new Set([...left.keys(), ...right.keys()]);
  return [...coins].every((coin) => (left.get(coin) ?? ZERO).equals(right.get(coin) ?? ZERO));
}

export const sameKeys = (left, right) => left.size === right.size && [...left.keys()].every((key) => right.has(key));

export const anyAmount = (balances) => [...balances.values()].some((amount) => !amount.isZero);

export const shownAmounts = (balances) =>
  Object.fromEntries([...balances].map(([coin, amount]) => [coin, amount.plain()]));

// Balances as the text that is hashed; `texts` are the file's spellings, `scales` the decimals by coin.
export function writeBalances(balances, style, texts, scales) {
  const each = style.each ?? "{amount}";
  const entries = orderedCoins([...balances.keys()], style.order ?? "file").map((coin) => {
    const number = written(balances.get(coin), coin, style, texts, scales);
    if (each === "{amount}") return number;
    const entry = each.replaceAll("{coin}", () => coin).replaceAll("{amount}", () => number);
    return entry.includes("{hash}") ? entry.replaceAll("{hash}", toHex(sha256(utf8(number)))) : entry;
  });
  const [before, after] = style.wrap ?? ["", ""];
  return before + entries.join(style.join ?? "") + after;
}

function written(amount, coin, style, texts, scales) {
  const decimals = style.decimals ?? 8;
  switch (style.number) {
    case "fixed":
      return amount.cut(scales?.get(coin) ?? decimals).fixed();
    case "python":
      return String(amount.cut(decimals));
    case "java":
      return String(amount);
    case "point":
      return amount.plain().includes(".") ? amount.plain() : `${amount.plain()}.0`;
    case "text":
      return texts ? texts.get(coin) : amount.plain();
    case "bitso":
      return texts ? texts.get(coin).replace(BITSO, "$1") : amount.plain();
    default:
      return amount.plain();
  }
}

const byText = (left, right) => (left < right ? -1 : Number(left > right));

function orderedCoins(coins, order) {
  if (order === "alphabetical") return coins.sort(byText);
  if (order !== "javahash") return coins;
  let capacity = 16;
  while (coins.length > Math.floor((capacity * 3) / 4)) capacity *= 2;
  const place = new Map(coins.map((coin) => [coin, javaHash(coin) & (capacity - 1)]));
  return coins.sort((left, right) => place.get(left) - place.get(right));
}

function javaHash(text) {
  let code = 0;
  for (const letter of text) code = (Math.imul(31, code) + letter.codePointAt(0)) | 0;
  return code ^ (code >>> 16);
}
