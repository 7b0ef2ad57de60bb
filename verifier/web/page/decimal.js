// Exact decimal numbers: sign, digits and exponent as they were written; nothing is ever rounded without being told to.

const MAX_SUM_DIGITS = 400;
const NUMBER = /^([-+]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([-+]?[0-9]+))?$/;

export class Decimal {
  constructor(negative, digits, exponent) {
    this.negative = negative;
    this.digits = digits;
    this.exponent = exponent;
  }

  static parse(text) {
    const [, sign, whole, fraction = "", exponent = "0"] = NUMBER.exec(text);
    return new Decimal(sign === "-", BigInt(whole + fraction || "0"), Number(exponent) - fraction.length);
  }

  static of(integer) {
    return new Decimal(integer < 0n, integer < 0n ? -integer : integer, 0);
  }

  get isZero() {
    return this.digits === 0n;
  }

  get isNegative() {
    return this.negative && !this.isZero;
  }

  get adjusted() {
    return this.digits.toString().length - 1 + this.exponent;
  }

  scaled(exponent) {
    return (this.negative ? -this.digits : this.digits) * 10n ** BigInt(this.exponent - exponent);
  }

  shifted(places) {
    return new Decimal(this.negative, this.digits, this.exponent + places);
  }

  // A sum has the finer of both scales; who writes a sum as text depends on it.
  plus(other) {
    const exponent = Math.min(this.exponent, other.exponent);
    const sum = this.scaled(exponent) + other.scaled(exponent);
    const negative = sum < 0n || (this.negative && other.negative);
    const digits = sum < 0n ? -sum : sum;
    if (digits.toString().length > MAX_SUM_DIGITS) throw new RangeError("too many digits");
    return new Decimal(negative, digits, exponent);
  }

  equals(other) {
    const exponent = Math.min(this.exponent, other.exponent);
    return this.scaled(exponent) === other.scaled(exponent);
  }

  // Write with exactly so many decimals, cutting what lies beyond.
  cut(decimals) {
    const by = this.exponent + decimals;
    const digits = by >= 0 ? this.digits * 10n ** BigInt(by) : this.digits / 10n ** BigInt(-by);
    return new Decimal(this.negative, digits, -decimals);
  }

  fixed() {
    const sign = this.negative ? "-" : "";
    if (this.isZero && this.exponent > 0) return `${sign}0`;
    if (this.exponent >= 0) return sign + this.digits + "0".repeat(this.exponent);
    const text = this.digits.toString().padStart(1 - this.exponent, "0");
    return `${sign}${text.slice(0, this.exponent)}.${text.slice(this.exponent)}`;
  }

  plain() {
    const text = this.fixed();
    return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") || "0" : text;
  }

  // The spelling of Java's BigDecimal.toString and Python's str: exponents for what is small or scaled up.
  toString() {
    if (this.exponent <= 0 && this.adjusted >= -6) return this.fixed();
    const digits = this.digits.toString();
    const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
    const power = this.adjusted;
    return `${this.negative ? "-" : ""}${mantissa}E${power < 0 ? "-" : "+"}${Math.abs(power)}`;
  }
}

export const ZERO = new Decimal(false, 0n, 0);
