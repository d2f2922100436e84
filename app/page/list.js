// Long lists: only the rows in sight are drawn, and nothing moves under a reader.

import { html, useLayoutEffect, useRef } from "./vendor.js";
import { change, gapEnd, state } from "./store.js";
import { age, clock, exact, masked, spaced, visible } from "./text.js";
import { go, here, linkTo } from "./routes.js";
import { copy, label } from "./copy.js";
import { readsOnly } from "./health.js";
import { canReplay, replay } from "./replay.js";
import * as words from "./words.js";

const OVER = 6; // rows that are drawn above and below those in sight
const AT_TOP = 4; // px
const AIMING = 1500; // ms after the pointer has moved in which no row moves away from under it
const FRESH = 1200; // ms of the tint of a new row
const LONGEST = 300; // characters of a text in a row

const newPlace = () => ({ top: 0, height: 600, held: null, aimed: -AIMING, resting: null, rows: [], key: "", element: null });
export const places = { inbox: newPlace(), rejected: newPlace() };

export const rowSize = () => (matchMedia("(max-width: 699px)").matches ? 64 : state.dense ? 40 : 56);

// How many of the rows are drawn: while somebody reads below the top, those that were there then.
function endOf(place, rows) {
  if (place.held === null) return rows.length;
  const at = rows.lastIndexOf(place.held);
  if (at < 0) place.held = null;
  return at < 0 ? rows.length : at + 1;
}
export const displayed = (name) => places[name].rows.slice(0, endOf(places[name], places[name].rows));
export const atTop = (name) => places[name].top < AT_TOP && places[name].held === null;

export function toTop(name) {
  const place = places[name];
  place.held = null;
  place.top = 0;
  if (place.element) place.element.scrollTop = 0;
  change();
}
export function reveal(name, index) {
  const { element } = places[name];
  const [top, size] = [index * rowSize(), rowSize()];
  if (!element) return;
  if (top < element.scrollTop) element.scrollTop = top;
  else if (top + size > element.scrollTop + element.clientHeight) element.scrollTop = top + size - element.clientHeight;
}

const hold = (place) => {
  if (place.held === null) place.held = place.rows.at(-1) ?? null;
};
function scrolled(place) {
  place.top = place.element.scrollTop;
  if (place.top >= AT_TOP) hold(place);
  else if (place.resting === null) place.held = null;
  change();
}
// A pointer over the list is about to click: what it aims at stays where it is.
function aim(place) {
  place.aimed = performance.now();
  hold(place);
  place.resting ??= setTimeout(() => release(place), AIMING);
}
function release(place) {
  const left = AIMING - (performance.now() - place.aimed);
  place.resting = left > 0 ? setTimeout(() => release(place), left) : null;
  if (place.resting === null && place.top < AT_TOP) place.held = null;
  change();
}

export function VirtualList({ name, rows, of, wanted, title }) {
  const [place, size] = [places[name], rowSize()];
  const element = useRef();
  if (place.key !== wanted) Object.assign(place, { key: wanted, held: null, top: 0 });
  place.rows = rows;
  useLayoutEffect(() => {
    place.element = element.current;
    element.current.scrollTop = place.top;
    const sizes = new ResizeObserver(() => {
      place.height = place.element?.clientHeight || place.height;
      change();
    });
    sizes.observe(element.current);
    return () => {
      sizes.disconnect();
      place.element = null;
    };
  }, [name, wanted]);
  const end = endOf(place, rows);
  return html`
    <div class="scroll" ref=${element} onScroll=${() => scrolled(place)} onPointerMove=${() => aim(place)} onPointerDown=${() => aim(place)}>
      <ul aria-label=${title} style=${{ height: `${end * size}px` }}>
        ${indexes(place, rows, end, size).map((index) => of(rows[end - 1 - index], { index, end, size }))}
      </ul>
    </div>
    ${end < rows.length && html`<button class="pill" onClick=${() => toTop(name)}>${words.pill(rows.length - end)} <span aria-hidden="true">↑</span></button>`}`;
}
// Those in sight, and the one that the keys are at, so that it keeps the focus.
function indexes(place, rows, end, size) {
  const first = Math.max(0, Math.floor(place.top / size) - OVER);
  const last = Math.min(end, first + Math.ceil(place.height / size) + 2 * OVER);
  const found = Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index);
  const cursor = state.cursor === null ? -1 : end - 1 - rows.findLastIndex((row) => row.id === state.cursor);
  if (cursor >= 0 && cursor < end && (cursor < first || cursor >= last)) found.push(cursor);
  return found;
}

const at = (index, size) => ({ transform: `translateY(${index * size}px)`, height: `${size}px` });
const isFresh = (row) => row.fresh && performance.now() - row.fresh < FRESH;
export const hide = (text) => (state.masked ? masked(text) : text);

export function open(id, event) {
  if (event && (event.metaKey || event.ctrlKey || event.shiftKey || event.button)) return;
  event?.preventDefault();
  change({ cursor: id });
  go({ sms: id }, { replace: state.route.sms !== null });
}
const rowClass = (row, extra = "") => `row ${extra} ${isFresh(row) ? "new" : ""} ${row.id === state.cursor || row.id === state.route.sms ? "at" : ""}`;

export function SmsRow(row, { index, end, size }) {
  if (row.gap) return html`<li key=${row.id} class="gap" style=${at(index, size)}>${words.gap(clock(row.at), clock(gapEnd(row)))}</li>`;
  const [old, isAt] = [state.now - row.at, state.cursor === null ? index === 0 : row.id === state.cursor];
  return html`
    <li key=${row.id} class=${rowClass(row)} data-id=${row.id} style=${at(index, size)} aria-setsize=${end} aria-posinset=${index + 1}>
      <a href=${linkTo(here({ sms: row.id }))} tabindex=${isAt ? 0 : -1} aria-current=${row.id === state.route.sms ? "true" : null} onClick=${(event) => open(row.id, event)} onFocus=${() => change({ cursor: row.id })}>
        <span class="sr">${state.masked ? words.HIDDEN_ROW : visible(words.sentence(row, words.spokenAge(old)))}</span>
        <time aria-hidden="true" title=${exact(row.at)}>${age(old)}</time>
        ${To(row)}
        <span class="what" aria-hidden="true">${From(row)}${Text(row)}</span>
        ${row.badge && html`<span class="badge" aria-hidden="true" title=${words.BADGES[row.badge] || ""}>${row.badge}</span>`}
      </a>
      ${row.code !== null && html`<${CodeButton} row=${row} id=${row.id} tabindex=${isAt ? 0 : -1} />`}
    </li>`;
}
// Its name begins as what is seen ends: "Copy code 482 913 for number ending 0 0 0 0".
export const CodeButton = ({ row, id, tabindex = 0 }) => html`
  <button class="code" tabindex=${tabindex} onClick=${() => copy(row.code, id)}><span class="sr">${words.COPY_CODE} </span><bdi>${label(id, hide(visible(spaced(row.code))))}</bdi>${!state.masked && html`<span class="sr"> ${words.forNumber(row.to)}</span>`}</button>`;
function To(row) {
  const number = row.to || "?";
  const head = `${/^\+/.test(row.sms.recipient || "") ? "+" : ""}${number.slice(0, -4)}`;
  return html`<span class="to" aria-hidden="true"><span>${hide(head)}</span><b>${hide(number.slice(-4))}</b></span>`;
}
const From = (row) => row.from && html`<span class="chip"><bdi dir="auto">${hide(visible(row.from.slice(0, 40)))}</bdi></span>`;
export function Text(row) {
  const { text } = row.sms;
  if (!text) return html`<span class="none">${text === null ? words.NO_TEXT : words.EMPTY_TEXT}</span>`;
  return html`<bdi dir="auto" class="text">${hide(visible(text.slice(0, LONGEST)))}</bdi>`;
}

export function RejectedRow(row, { index, end, size }) {
  const { event } = row;
  const reason = words.REJECTED_REASONS[event.reason] || event.reason;
  const old = state.now - row.at;
  return html`
    <li key=${row.id} class=${rowClass(row, "bad")} data-id=${row.id} style=${at(index, size)} aria-setsize=${end} aria-posinset=${index + 1}>
      <a href=${linkTo(here({ sms: row.id }))} tabindex=${(state.cursor === null ? index === 0 : row.id === state.cursor) ? 0 : -1} onClick=${(click) => open(row.id, click)} onFocus=${() => change({ cursor: row.id })}>
        <span class="sr">${words.rejectedSentence(words.spokenAge(old), hide(event.account), reason)}</span>
        <time aria-hidden="true" title=${exact(row.at)}>${age(old)}</time>
        <span class="to" aria-hidden="true">${hide(event.account)}</span>
        <span class="what" aria-hidden="true"><code>${event.reason}</code><span class="text">${reason === event.reason ? "" : reason}</span></span>
        <span class="size" aria-hidden="true">${words.bytes(event.body_bytes)}</span>
      </a>
      ${!readsOnly() && html`<span class="again">${canReplay(event) && html`<button class="small" aria-label=${words.replayOf(words.spokenAge(old))} onClick=${() => replay(row.id)}>${words.REPLAY}</button>`}</span>`}
    </li>`;
}
