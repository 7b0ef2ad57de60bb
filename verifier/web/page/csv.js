// A strict reader for tables with commas and quotes (RFC 4180), a row of names on top.

import { Malformed } from "./faults.js";
import { trimmed } from "./spaces.js";

const CELL = / *(?:"((?:[^"]|"")*)"|((?![ "])[^,\n]*))(,|\n|$)/y;
const LINE_ENDS = /\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]/g;

// Return the rows as Maps from trimmed names to trimmed texts, or null when a row has another width.
export function readTable(text) {
  const lines = recordsOf(text.replace(LINE_ENDS, "\n").replace(/\n$/, ""));
  const [names, ...rows] = lines.filter((cells) => cells.length > 1 || cells[0] !== "");
  if (rows.some((cells) => cells.length !== names.length)) return null;
  return rows.map((cells) => new Map(cells.map((cell, column) => [trimmed(names[column]), trimmed(cell)])));
}

function recordsOf(text) {
  const records = [[]];
  let at = 0;
  for (;;) {
    CELL.lastIndex = at;
    const match = CELL.exec(text);
    if (!match) throw new Malformed("malformed", "not a table: a quote is out of place");
    records.at(-1).push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"').replaceAll("\n", ""));
    at += match[0].length;
    if (match[3] === "") return records;
    if (match[3] === "\n") records.push([]);
  }
}
