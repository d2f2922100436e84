// The search field: its tokens, what matches, and what it suggests.

import { digits } from "./text.js";
import { TOKENS } from "./words.js";

// The words of commands, and the event's own names: the search takes both.
export const FIELDS = { to: "recipient", account: "account", provider: "provider", service: "service", ref: "client_ref", watch: "watch_id", order: "order_id", freshness: "freshness" };
const OWN = Object.fromEntries(Object.values(FIELDS).map((field) => [field, field]));
const KNOWN = { ...OWN, ...FIELDS, has: "has", has_code: "has_code", contains: "text" };
const PIECE = /(\w+):("[^"]*"?|\S*)|"([^"]*)"?|\S+/g;
const WHOLE_NUMBER = 7; // digits; fewer are the end of one

export function parse(query) {
  const wanted = { tests: [], tokens: [] };
  for (const [piece, key, value, quoted] of query.matchAll(PIECE)) {
    const plain = (value ?? quoted ?? piece).replaceAll('"', "");
    const test = known(key) ? ofToken(KNOWN[key], plain.toLowerCase()) : ofText((key ? piece : plain).toLowerCase());
    if (test) wanted.tests.push(test);
    wanted.tokens.push(piece);
  }
  return wanted;
}

const known = (key) => Object.hasOwn(KNOWN, key ?? "");

function ofToken(field, value) {
  if (!value) return null; // it is being typed
  if (field === "recipient") return ofNumber(digits(value));
  if (field === "has") return value === "code" ? (row) => row.code !== null : () => false;
  if (field === "has_code") return (row) => String(row.code !== null) === value;
  const own = (row) => (row.sms[field] || "").toLowerCase();
  return field === "text" ? (row) => own(row).includes(value) : (row) => own(row) === value;
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
  const found = Object.hasOwn(FIELDS, key ?? "") ? ofValues(key, typed.toLowerCase(), there) : ofNames(piece.toLowerCase());
  return found.slice(0, 8).map(([text, note]) => ({ text, note, query: `${before}${text}${text.endsWith(":") ? "" : " "}` }));
}
const ofNames = (piece) => Object.entries(TOKENS).filter(([name]) => name.startsWith(piece) && name !== piece);
function ofValues(key, typed, there) {
  const values = [...there(key)].filter(([value]) => value.toLowerCase().includes(typed) && value.toLowerCase() !== typed);
  return values.sort((one, other) => other[1] - one[1]).map(([value, count]) => [`${key}:${/\s/.test(value) ? `"${value}"` : value}`, count.toLocaleString("en")]);
}
