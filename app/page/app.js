// The page, put together: token, feed, keys, clock.

import { html, render } from "./vendor.js";
import { ApiError, Feed } from "./feed.js";
import { change, drawnBy, inbox, isWatching, lastOfWatch, markRead, rejected, shownRows, state, take, unreadCount } from "./store.js";
import { atTop, displayed, open, places, reveal, toTop } from "./list.js";
import { follow, go, goTo, mask, routeOf, tokenInAddress, wasMasked } from "./routes.js";
import { close, linkOf } from "./detail.js";
import { readAccess, readHealth } from "./health.js";
import { noOrders, readOrders, request } from "./orders.js";
import { copy } from "./copy.js";
import { visible } from "./text.js";
import { App, newestShown } from "./shell.js";
import * as words from "./words.js";

const KEPT = "smsbus-token"; // in sessionStorage: a reload keeps it, closing the tab ends it
const DENSE = "smsbus-dense";
const MEANWHILE = 1000; // ms after a connection is back in which what comes had been missed
const NOTICE = 5000; // ms
const SAY_EVERY = 5000; // ms between two announcements
const PREFIX = 2000; // ms in which the second key of two must follow
const HEALTH_EVERY = 5; // seconds; whether all is well is asked every second
const ORDERS_EVERY = 30;

let feed = null;

// ---- token ---------------------------------------------------------------------------------------------------------

function start(token) {
  sessionStorage.setItem(KEPT, token);
  feed?.stop();
  change({ token, access: null, login: null, link: { word: "connecting", since: Date.now(), error: null } });
  feed = new Feed(token, { take: arrived, link: linked });
  readHealth({ everything: true });
  readOrders();
}
function forget(why) {
  feed?.stop();
  sessionStorage.removeItem(KEPT);
  change({ token: null, login: why });
}
async function signIn(token) {
  try {
    await readAccess(token);
  } catch (error) {
    if (!(error instanceof ApiError)) return change({ login: "nobody" });
    if (error.status === 401) return forget("wrong");
  }
  return start(token);
}

// ---- connection ----------------------------------------------------------------------------------------------------

let counting = null; // what arrives since the connection is back: { count }
function linked(word, error) {
  if (error instanceof ApiError && error.status === 401) return forget("ended");
  const before = state.link;
  if (word === "live" && before.was) countMeanwhile();
  const was = word === "live" ? "live" : before.was;
  const since = before.word === word ? before.since : Date.now();
  return change({ link: { word, since, error, was } });
}
function countMeanwhile() {
  const mine = { count: 0 };
  counting = mine;
  setTimeout(() => {
    if (counting !== mine) return;
    counting = null;
    if (mine.count) notify(words.meanwhile(mine.count));
  }, MEANWHILE);
}
function notify(notice) {
  change({ notice });
  setTimeout(() => state.notice === notice && change({ notice: null }), NOTICE);
}

function arrived(events, how) {
  const added = take(events, how);
  if (how !== "live") return;
  if (counting) counting.count += added.length;
  if (added.length) announce(added);
  if (added.some((row) => row.sms.watch_id) || events.some((event) => "ended_at" in event)) ordersSoon();
}

let ordersAsked = 0;
function ordersSoon() {
  if (ordersAsked || noOrders()) return;
  ordersAsked = setTimeout(() => {
    ordersAsked = 0;
    readOrders();
  }, 1000);
}

// ---- screen reader -------------------------------------------------------------------------------------------------

const said = { at: -SAY_EVERY, waiting: [], timer: 0 };
const region = document.body.appendChild(Object.assign(document.createElement("div"), { className: "sr" }));
region.setAttribute("aria-live", "polite");
function announce(rows) {
  said.waiting.push(...rows.slice(-2));
  said.many = (said.many || 0) + rows.length;
  if (said.timer) return;
  said.timer = setTimeout(say, Math.max(0, said.at + SAY_EVERY - performance.now()));
}
function say() {
  const [row] = said.waiting;
  region.textContent = said.many === 1 && !state.masked ? visible(words.sentence(row, words.spokenAge(Date.now() - row.at))) : words.arrived(said.many);
  Object.assign(said, { at: performance.now(), waiting: [], many: 0, timer: 0 });
}

// ---- keys ----------------------------------------------------------------------------------------------------------

const listName = () => (state.route.view === "rejected" ? "rejected" : "inbox");
const listing = () => ["inbox", "rejected"].includes(state.route.view);
const isWide = () => matchMedia("(min-width: 1100px)").matches;
const current = () => inbox.byId.get(state.route.sms ?? state.cursor ?? newestShown());

function move(step) {
  if (!listing()) return;
  const rows = displayed(listName()).filter((row) => !row.gap);
  const at = rows.length - 1 - rows.findLastIndex((row) => row.id === (state.cursor ?? state.route.sms));
  const next = at >= rows.length ? 0 : Math.min(rows.length - 1, Math.max(0, at + step));
  const row = rows[rows.length - 1 - next];
  if (!row) return;
  change({ cursor: row.id });
  if (isWide()) go({ sms: row.id }, { replace: true });
  reveal(listName(), displayed(listName()).length - 1 - displayed(listName()).lastIndexOf(row));
  focusOn = row.id;
}
let focusOn = null; // the row that gets the focus after the next drawing

function newest() {
  if (!listing()) goTo({ view: "inbox" });
  change({ cursor: null });
  go({ sms: null });
  toTop(listName());
}
function copyCode() {
  const row = current();
  if (!row?.code) return toast(words.NOTHING_TO_COPY);
  return copy(row.code, state.route.sms === row.id || state.cursor === null ? `detail ${row.id}` : row.id, words.copiedFor(state.masked ? words.CODE : visible(row.code.slice(0, 40))));
}
const toast = (text) => change({ toast: { text, until: Date.now() + 2000 } });
function nextSms() {
  const row = current();
  return row?.sms.order_kind === "activation" ? request("next", row.sms.watch_id) : toast(words.NO_ORDER);
}
function search() {
  if (state.route.view !== "inbox") goTo({ view: "inbox" });
  const field = document.getElementById("search");
  if (field) field.select();
  else setTimeout(search, 20);
}
function escape() {
  if (state.menu) return change({ menu: null });
  if (state.route.sms) return close();
  if (state.route.query) return go({ query: "" });
  return change({ cursor: null });
}
function toggleMask() {
  region.textContent = "";
  mask(!state.masked);
}
const ACTIONS = {
  next: () => move(1),
  previous: () => move(-1),
  open: () => state.cursor && listing() && open(state.cursor),
  close: escape,
  copy: copyCode,
  link: () => current() && copy(linkOf(current().id), `link ${current().id}`, words.copiedFor(words.ITS_LINK)),
  search,
  newest,
  more: nextSms,
  mask: toggleMask,
  dense: () => (localStorage.setItem(DENSE, state.dense ? "" : "1"), change({ dense: !state.dense })),
  inbox: () => goTo({ view: "inbox" }),
  orders: () => goTo({ view: "orders" }),
  status: () => goTo({ view: "status" }),
  help: () => change({ dialog: { name: "keys" } }),
};
const BY_KEY = new Map(words.KEYS.flatMap(([name, keys]) => keys.map((key) => [key, ACTIONS[name]])));

// Links of the page: two of them may have the same address while everything is hidden.
function clicked(event) {
  const link = event.target.closest?.("a[href^='#']");
  if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  goTo(routeOf(link.getAttribute("href")));
}

let prefix = ""; // "g", for a moment
let prefixTimer = 0;
function pressed(event) {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || state.login || state.dialog) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const isButton = event.target.closest?.("button, summary, a");
  if (event.key === "Enter" && isButton) return; // it has its own
  const action = BY_KEY.get(prefix + event.key);
  prefix = event.key === "g" && !prefix ? "g " : "";
  clearTimeout(prefixTimer);
  prefixTimer = setTimeout(() => (prefix = ""), PREFIX);
  if (!action) return;
  event.preventDefault();
  action();
}

// ---- drawing -------------------------------------------------------------------------------------------------------

let drawn = null; // the view
function draw() {
  const { view } = state.route;
  if (listing() && !state.login && isWatching() && state.route.view === "inbox" && atTop("inbox")) markRead(state.route.query || state.route.number || state.route.from ? shownRows() : inbox.rows);
  document.title = words.title(state.login ? 0 : unreadCount());
  document.documentElement.classList.toggle("dense", state.dense);
  if (view !== drawn) {
    drawn = view;
    if (view === "status" && state.token) readHealth({ everything: true }); // fresh when it is opened
  }
  render(html`<${App} signIn=${signIn} forget=${() => forget("first")} mask=${toggleMask} />`, document.getElementById("app"));
  focus();
}
// Where the detail covers the list, the focus goes into it, and back to the row when it is closed.
function focus() {
  const { sms } = state.route;
  if (sms !== opened && !isWide()) {
    if (sms) document.querySelector(".beside")?.focus();
    else focusOn = opened;
  }
  opened = sms;
  if (focusOn !== null) document.querySelector(`[data-id="${CSS.escape(focusOn)}"] a`)?.focus({ preventScroll: true });
  focusOn = null;
}
let opened = null;

let ticks = 0;
function tick() {
  ticks += 1;
  const { view } = state.route;
  if (document.hidden) return;
  change({ now: Date.now(), toast: state.toast && state.toast.until < Date.now() ? null : state.toast });
  if (state.login || !state.token) return;
  const everything = view === "status" || (inbox.rows.length === 0 && ticks % 2 === 0);
  readHealth({ everything: everything && ticks % HEALTH_EVERY === 0 });
  if (ticks % (view === "orders" ? HEALTH_EVERY : ORDERS_EVERY) === 0 && !noOrders()) readOrders();
}

drawnBy(draw);
addEventListener("keydown", pressed);
addEventListener("click", clicked);
addEventListener("hashchange", () => {
  const token = tokenInAddress();
  if (token) signIn(token);
  follow();
});
addEventListener("popstate", follow);
addEventListener("focus", () => change());
addEventListener("pointerdown", (event) => state.menu && !event.target.closest?.(".menu") && change({ menu: null }));
addEventListener("resize", () => change());
document.addEventListener("visibilitychange", () => document.hidden || (change({ now: Date.now() }), state.login || !state.token || readHealth({ everything: state.route.view === "status" })));
setInterval(tick, 1000);

const [given, kept] = [tokenInAddress(), sessionStorage.getItem(KEPT)];
state.dense = localStorage.getItem(DENSE) === "1";
state.masked = wasMasked();
follow();
if (given) signIn(given);
else if (kept) start(kept);
else change({ login: "first" });
