// What the page knows, and one drawing a frame of whatever has changed.

import { kindOf } from "./feed.js";
import { digits } from "./text.js";
import { FIELDS, matches, parse } from "./search.js";

const MOST = 20_000; // SMS that are kept
const SLACK = 1_000; // more before the oldest are dropped, all at once
const RAIL_EVERY = 500; // ms between two looks at the numbers

export const state = {
  now: Date.now(),
  token: null,
  access: null, // what the token may do: { reads_only, accounts }; null: not known yet
  login: null, // null, or why a token is asked for: "first", "ended", "wrong", "nobody"
  route: { view: "inbox", number: null, query: "", from: 0, sms: null, watch: null },
  link: { word: "connecting", since: Date.now(), error: null, was: null },
  health: { status: null, reasons: new Map(), metrics: null, callbacks: null },
  orders: { watches: null, more: false, moreOpen: false, error: null, notes: new Map(), ended: false },
  cursor: null, // the id of the row that the keys are at
  masked: false,
  dense: false,
  dialog: null,
  menu: null, // the id of the watch whose menu is open
  toast: null,
  copied: null,
  notice: null,
};

let draw = () => {};
let asked = false;
export function drawnBy(render) {
  draw = render;
}
// Change the state; the page is drawn once in the next frame, however much changes until then.
export function change(changes = {}) {
  Object.assign(state, changes);
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
  });
}

function rowOf(sms) {
  const to = digits(sms.recipient || sms.recipient_raw);
  const from = sms.sender || sms.service || "";
  const badge = sms.freshness !== "live" ? sms.freshness : sms.message_type !== "sms" ? sms.message_type : "";
  const hay = [sms.text, sms.sender, sms.service, sms.code, sms.order_id, sms.client_ref].join("\n").toLowerCase();
  return { id: sms.id, at: Date.parse(sms.observed_at), to, from, badge, hay, code: sms.code, sms, unread: false, fresh: 0 };
}
const rejectedRow = (event) => ({ id: event.id, at: Date.parse(event.observed_at), event, fresh: 0 });

// SMS in the order of their times, the oldest first; what is derived from them is kept up to date as they come.
class Log {
  constructor(toRow) {
    this.toRow = toRow;
    this.rows = [];
    this.byId = new Map();
    this.epoch = 0; // changes where rows were put in or taken out elsewhere than at the end
  }

  // Return the rows that are new.
  add(events) {
    const added = [];
    for (const event of events) {
      if (this.byId.has(event.id)) continue;
      const row = this.toRow(event);
      this.byId.set(row.id, row);
      added.push(row);
    }
    this.place(added);
    return added;
  }

  place(added) {
    const last = this.rows.at(-1);
    const inOrder = added.every((row, index) => row.at >= (index ? added[index - 1].at : (last?.at ?? 0)));
    for (const row of added) this.rows.push(row);
    if (inOrder) return;
    this.rows.sort((one, other) => one.at - other.at);
    this.epoch += 1;
  }

  // Drop the oldest; return them.
  trim() {
    if (this.rows.length <= MOST + SLACK) return [];
    const gone = this.rows.splice(0, this.rows.length - MOST);
    for (const row of gone) this.byId.delete(row.id);
    this.epoch += 1;
    return gone;
  }
}

export const inbox = new Log(rowOf);
export const rejected = new Log(rejectedRow);
const numbers = new Map(); // by number: { number, last, unread }
const unreadRows = new Set();
export const lastOfWatch = new Map(); // by watch id
export const lastOfAccount = new Map(); // when its last SMS was accepted
export const providers = new Map(); // by account
export const ends = new Map(); // watch ids that ended while this page was open

export const unreadCount = () => unreadRows.size;
export const isWatching = () => !document.hidden && document.hasFocus();

// Take events of the feed. Return the new SMS.
export function take(events, how) {
  const kinds = Map.groupBy ? Map.groupBy(events, kindOf) : grouped(events);
  for (const end of kinds.get("watch_ended") || []) ends.set(end.watch_id, end);
  const before = inbox.rows.at(-1);
  const added = inbox.add(kinds.get("received") || []);
  const bad = rejected.add(kinds.get("rejected") || []);
  if (how === "after_gap") markGap(before, added);
  if (how === "live") arrive([...added, ...bad], added);
  for (const row of added) count(row);
  for (const row of inbox.trim()) forget(row);
  rejected.trim();
  change();
  return added;
}
function grouped(events) {
  const kinds = new Map();
  for (const event of events) kinds.set(kindOf(event), [...(kinds.get(kindOf(event)) || []), event]);
  return kinds;
}
function arrive(all, sms) {
  const fresh = performance.now();
  for (const row of all) row.fresh = fresh;
  for (const row of sms) {
    row.unread = true;
    unreadRows.add(row);
  }
}
function count(row) {
  const { account, provider, watch_id: watch } = row.sms;
  providers.set(account, provider);
  lastOfAccount.set(account, Math.max(row.at, lastOfAccount.get(account) ?? 0));
  if (watch && !(lastOfWatch.get(watch)?.at > row.at)) lastOfWatch.set(watch, row);
  if (!row.to) return;
  const known = numbers.get(row.to) || { number: row.to, last: 0, unread: 0 };
  known.last = Math.max(known.last, row.at);
  known.unread += row.unread ? 1 : 0;
  numbers.set(row.to, known);
}
function forget(row) {
  read(row);
  if (lastOfWatch.get(row.sms.watch_id) === row) lastOfWatch.delete(row.sms.watch_id);
  if (numbers.get(row.to)?.last === row.at) numbers.delete(row.to);
}
function read(row) {
  if (!unreadRows.delete(row)) return;
  row.unread = false;
  const known = numbers.get(row.to);
  if (known) known.unread -= 1;
}
// A reader who sees the top of a list has seen what is in it.
export function markRead(rows) {
  if (unreadRows.size === 0) return;
  if (rows === inbox.rows) for (const row of unreadRows) read(row);
  else for (const row of rows) read(row);
}

let gaps = []; // where what followed a row had left the inbox before it was read
function markGap(before, added) {
  if (before && added.length) gaps = [...gaps, { id: `gap-${before.id}`, gap: true, at: before.at }];
  inbox.epoch += 1;
}
// When the SMS after a gap begin.
export const gapEnd = (gap) => inbox.rows.find((row) => row.at > gap.at)?.at ?? state.now;

let rail = { at: 0, list: [], all: 0 };
// The numbers, the last used first; looked at twice a second at most.
export function railNumbers(most) {
  if (performance.now() - rail.at > RAIL_EVERY || rail.all !== numbers.size) {
    const list = [...numbers.values()].sort((one, other) => other.last - one.last).slice(0, most);
    rail = { at: performance.now(), list, all: numbers.size };
  }
  return rail;
}

// For suggestions: each value of a field, and how many SMS have it.
export function valuesOf(key) {
  const found = new Map();
  for (const row of inbox.rows) {
    const value = key === "to" ? row.to : row.sms[FIELDS[key]];
    if (value) found.set(value, (found.get(value) || 0) + 1);
  }
  return found;
}

let shown = { key: null, upto: 0, rows: [], wanted: null };
// The rows that the route asks for, the oldest first. Only what is new is looked at.
export function shownRows() {
  const { query, number, from } = state.route;
  const key = `${inbox.epoch}\n${number}\n${from}\n${query}`;
  if (shown.key !== key) shown = { key, upto: 0, rows: [], wanted: parse(query) };
  const { wanted, rows } = shown;
  for (; shown.upto < inbox.rows.length; shown.upto += 1) {
    const row = inbox.rows[shown.upto];
    if (row.at > from && (!number || row.to === number) && matches(wanted, row)) rows.push(row);
    const missing = !query && row.at > from && gaps.find((gap) => gap.id === `gap-${row.id}`);
    if (missing) rows.push(missing);
  }
  return rows;
}
export const hiddenCount = () => {
  const { from } = state.route;
  if (!from) return 0;
  let low = 0;
  let high = inbox.rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (inbox.rows[middle].at <= from) low = middle + 1;
    else high = middle;
  }
  return low;
};
export const isPlain = () => !state.route.query && !state.route.number && !state.route.from;
