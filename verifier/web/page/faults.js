// What goes wrong with a file: a rule of the format that is broken, another layout, or no proof at all.

export class Malformed extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class OtherLayout extends Error {}

export class NotAProof extends Error {}

export const finding = (code, text) => ({ code, text });
