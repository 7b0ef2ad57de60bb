// White space as the command line understands it, which differs from the browser's in a few odd characters.

const SPACE = "[\\t-\\r\\x1c-\\x1f \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const ENDS = new RegExp(`^${SPACE}+|${SPACE}+$`, "g");
const BETWEEN = new RegExp(`${SPACE}+`);

export const trimmed = (text) => text.replace(ENDS, "");

export const wordsOf = (text) => trimmed(text).split(BETWEEN).filter(Boolean);

const TOKENS = /\\.|\[(?:\\.|[^\]])*\]|\./g;
const SPELLINGS = { "\\s": SPACE, ".": "[^\\n]" };

// A pattern of a description, for whole texts: a point stands for all but a line feed.
export const wholePattern = (pattern) =>
  new RegExp(`^(?:${pattern.replace(TOKENS, (token) => SPELLINGS[token] ?? token)})$`, "u");
