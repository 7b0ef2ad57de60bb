// White space as the command line understands it, which differs from the browser's in a few odd characters.

const SPACE = "[\\t-\\r\\x1c-\\x1f \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const ENDS = new RegExp(`^${SPACE}+|${SPACE}+$`, "g");
const BETWEEN = new RegExp(`${SPACE}+`);

export const trimmed = (text) => text.replace(ENDS, "");

export const wordsOf = (text) => trimmed(text).split(BETWEEN).filter(Boolean);

// A pattern of a description, for whole texts.
export const wholePattern = (pattern) => new RegExp(`^(?:${pattern.replaceAll("\\s", SPACE)})$`, "su");
