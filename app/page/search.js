// The search field: its tokens, what matches, and what it suggests.

import { digits } from "./text.js";
import { TOKENS } from "./words.js";

const KNOWN = new Set(["to", "service", "account", "ref", "has"]);
const PIECE = /(\w+):("[^"]*"?|\S*)|"([^"]*)"?|\S+/g;
const WHOLE_NUMBER = 7; // digits; fewer are the end of one

export function parse(query) {
  const wanted = { tests: [], tokens: [] };
  for (const [piece, key, value, quoted] of query.matchAll(PIECE)) {
    const plain = (value ?? quoted ?? piece).replaceAll('"', "");
    const test = KNOWN.has(key) ? ofToken(key, plain.toLowerCase()) : ofText((KNOWN.has(key) || !key ? plain : piece).toLowerCase());
    if (test) wanted.tests.push(test);
    wanted.tokens.push(piece);
  }
  return wanted;
}

function ofToken(key, value) {
  if (!value) return null; // it is being typed
  if (key === "to") return ofNumber(digits(value));
  if (key === "has") return value === "code" ? (row) => row.code !== null : () => false;
  const field = { service: "service", account: "account", ref: "client_ref" }[key];
  return (row) => (row.sms[field] || "").toLowerCase() === value;
}
function ofNumber(number) {
  if (number.length < WHOLE_NUMBER) return (row) => row.to.endsWith(number);
  return (row) => row.to === number;
}
function ofText(text) {
  const number = /^[+\d][\d\s-]*$/.test(text) ? digits(text) : "";
  return (row) => row.hay.includes(text) || (number !== "" && row.to.includes(number));
}

export const matches = (wanted, row) => wanted.tests.every((test) => test(row));

// Suggestions for the piece that is being typed, with the whole query that each leads to.
export function suggest(query, there) {
  const [, before, piece] = /^(.*?)(\S*)$/s.exec(query);
  const [, key, typed] = /^(\w+):(.*)$/.exec(piece) || [];
  const found = KNOWN.has(key) && key !== "has" ? ofValues(key, typed.toLowerCase(), there) : ofNames(piece.toLowerCase());
  return found.slice(0, 8).map(([text, note]) => ({ text, note, query: `${before}${text}${text.endsWith(":") ? "" : " "}` }));
}
const ofNames = (piece) => Object.entries(TOKENS).filter(([name]) => name.startsWith(piece) && name !== piece);
function ofValues(key, typed, there) {
  const values = [...there(key)].filter(([value]) => value.toLowerCase().includes(typed) && value.toLowerCase() !== typed);
  return values.sort((one, other) => other[1] - one[1]).map(([value, count]) => [`${key}:${/\s/.test(value) ? `"${value}"` : value}`, count.toLocaleString("en")]);
}
