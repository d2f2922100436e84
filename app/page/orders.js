// The orders that are watched, and what can be asked of each.

import { html, useLayoutEffect, useRef } from "./vendor.js";
import { ApiError, ask } from "./feed.js";
import { change, ends, lastOfWatch, providers, state } from "./store.js";
import { age, left, masked, visible } from "./text.js";
import { CodeButton } from "./list.js";
import { readsOnly } from "./health.js";
import { goingTo, hashOf, linkTo } from "./routes.js";
import * as words from "./words.js";

const PAGE = 200;
const hide = (text) => (state.masked ? masked(text) : text);

// There are none in this process, or the token does not show them.
export const noOrders = () => [403, 404].includes(state.orders.error?.status);

export async function readOrders() {
  const read = async (which) => (await ask(state.token, `/v1/watches?state=${which}&limit=${PAGE}`)).json();
  readOne(state.route.watch);
  try {
    const open = await read("open");
    const ended = state.orders.ended ? await read("ended") : { watches: [], next: null };
    change({ orders: { ...state.orders, watches: [...open.watches, ...ended.watches], more: Boolean(open.next || ended.next), moreOpen: Boolean(open.next), error: null } });
  } catch (error) {
    change({ orders: { ...state.orders, error } });
  }
}
// Read the order that a link names: it may have ended, or be older than those of the list.
async function readOne(id) {
  if (id === null) return;
  const found = await ask(state.token, `/v1/watches/${encodeURIComponent(id)}`).then((response) => response.json(), (error) => (error.status === 404 ? null : state.orders.one?.watch));
  if (found !== undefined) change({ orders: { ...state.orders, one: { id, watch: found } } });
}
// The order that the address names; undefined: not known yet, null: there is none.
function theOne() {
  const { watch: id } = state.route;
  if (state.orders.one?.id !== id) {
    change({ orders: { ...state.orders, one: { id } } });
    readOne(id);
  }
  return state.orders.one?.watch;
}
export const openOrders = () => state.orders.watches?.filter((watch) => !isEnded(watch)) ?? null;
const smsOf = (watch) => ({ query: `watch:${watch.watch_id}` });
const find = (watchId) => [...(state.orders.watches ?? []), state.orders.one?.watch].find((watch) => watch?.watch_id === watchId);
const isEnded = (watch) => Boolean(watch.ended) || ends.get(watch.watch_id)?.opening === watch.opening;
const orderOf = (watch) => watch.order_id ?? watch.watch_id;
const providerOf = (watch) => words.PROVIDERS[providers.get(watch.account)] || watch.account;

// Ask for something; what ends an order is confirmed first.
export function request(action, watchId) {
  if (action in words.CONFIRM) return change({ dialog: { name: "confirm", action, watchId } });
  return send(action, watchId);
}
async function send(action, watchId) {
  try {
    await (action === "reopen" ? reopen(watchId) : ask(state.token, `/v1/watches/${encodeURIComponent(watchId)}/${action}`, { method: "POST" }));
    note(watchId, words.REQUESTED[action]);
  } catch (error) {
    note(watchId, words.FAILED(error instanceof ApiError ? error.message : words.NOBODY));
  }
  await readOrders();
}
// Watch it again, as it was described; nothing is bought.
function reopen(watchId) {
  const { account, order_kind, order_id } = find(watchId);
  return ask(state.token, "/v1/watches", { method: "POST", body: JSON.stringify({ account, order_kind, order_id }) });
}
function note(watchId, text) {
  state.orders.notes.set(watchId, text);
  change({ toast: state.route.view === "orders" ? state.toast : { text, until: Date.now() + 3000 } });
}

export function Confirm({ action, watchId, done }) {
  const watch = find(watchId);
  const said = words.CONFIRM[action];
  if (!watch) return null;
  return html`
    <h2>${hide(said.ask(orderOf(watch), providerOf(watch)))}</h2>
    <p>${said.more}</p>
    <p class="actions">
      <button class="primary" autofocus onClick=${done}>${words.KEEP}</button>
      <button class="danger" onClick=${() => (done(), send(action, watchId))}>${said.yes}</button>
    </p>`;
}

export function Orders({ adding }) {
  const { watches, error, ended, more } = state.orders;
  if (error?.status === 404) return html`<div class="empty"><p class="large">${words.NO_POLLED}</p><p>${words.NO_POLLED_MORE}</p></div>`;
  if (error?.status === 403) return html`<div class="empty"><p class="large">${words.NOT_YOURS}</p><p>${error.message}</p></div>`;
  if (state.route.watch) return html`<${One} watch=${theOne()} />`;
  const listed = watches?.filter((watch) => ended || !isEnded(watch)) ?? [];
  return html`
    <div class="page">
      <h1>${words.VIEWS.orders}</h1>
      ${error && html`<p class="bar amber" role="status">${error.message || words.NOBODY} ${words.TRY_AGAIN}</p>`}
      ${watches && html`<p class="actions">${adding}</p>`}
      ${watches && listed.length === 0 && html`<p class="large">${words.NO_ORDERS}</p>`}
      ${listed.length > 0 && Table(listed)}
      ${more && html`<p class="quiet">${words.ONLY_NEWEST(PAGE)}</p>`}
      ${watches && html`<p class="actions"><button class="quiet" onClick=${toggleEnded}>${ended ? words.hideEnded : words.SHOW_ENDED}</button></p>`}
    </div>`;
}
const Table = (watches) => html`
  <table class="orders">
    <thead><tr>${words.ORDER_COLUMNS.map((name) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead>
    <tbody>${watches.map((watch) => Row(watch))}</tbody>
  </table>`;
function One({ watch }) {
  return html`
    <div class="page">
      <h1>${words.ONE_ORDER}</h1>
      ${watch && Table([watch])}
      ${watch === null && html`<p class="large">${words.UNKNOWN_ORDER}</p>`}
      ${watch === undefined && html`<p class="quiet late">${words.LOOKING}</p>`}
      <p class="actions">
        ${watch && html`<a href=${linkTo(hashOf(smsOf(watch)))} onClick=${goingTo(smsOf(watch))}>${words.ITS_SMS}</a>`}
        <a href=${hashOf({ view: "orders" })}>${words.ALL_ORDERS}</a>
      </p>
    </div>`;
}
function toggleEnded() {
  change({ orders: { ...state.orders, ended: !state.orders.ended } });
  return readOrders();
}

// The state as a word, with the class of its colour.
function stateOf(watch, last) {
  if (watch.unreadable) return ["amber", words.STATES.unreadable];
  if (isEnded(watch)) return ["", words.ended(watch.ended || ends.get(watch.watch_id).reason)];
  if (["finish", "cancel"].includes(watch.requested)) return ["amber", words.STATES.ending];
  const asked = watch.performed?.action === "next" && last && Date.parse(watch.performed.at) > last.at;
  if (watch.requested === "next" || asked) return ["accent", words.STATES.next];
  if (watch.sms_count === 0) return ["", words.STATES.waiting];
  return ["green", last && last.code === null ? words.STATES.sms : words.STATES.code];
}
function refusalOf(watch) {
  const { waiting, refused, performed } = watch;
  if (watch.ended) return null;
  if (waiting) {
    const time = left(Date.parse(waiting.until) - state.now);
    return waiting.reason ? words.refusedUntil(waiting.reason, time) : words.postponed(time);
  }
  if (refused && (!performed || performed.at < refused.at)) return words.refused(refused.action, refused.code);
  return null;
}

function Row(watch) {
  const last = lastOfWatch.get(watch.watch_id);
  const [colour, word] = stateOf(watch, last);
  const note = refusalOf(watch) || state.orders.notes.get(watch.watch_id);
  const order = hide(visible(orderOf(watch)));
  const number = (watch.recipient || last?.to || "").replace(/^\+?/, "");
  const its = smsOf(watch);
  const act = (action, name) => html`<button key=${action} aria-label=${words.actionOn(name, order)} onClick=${() => request(action, watch.watch_id)}>${name}</button>`;
  return html`
    <tr key=${watch.watch_id}>
      <td class="state"><span class="dot ${colour}" aria-hidden="true"></span>${word}${note && html`<span class="note">${note}</span>`}</td>
      <td class="order"><a href=${linkTo(hashOf(its))} onClick=${goingTo(its)} title=${words.ITS_SMS}><bdi class="mono">${order}</bdi></a> <span class="quiet">${watch.account}${watch.order_kind === "rent" ? `, ${words.RENT}` : ""}</span></td>
      <td class="number"><span class="to"><span>${hide(number.slice(0, -4))}</span><b>${hide(number.slice(-4))}</b></span></td>
      <td class="service"><bdi>${hide(visible(watch.service || ""))}</bdi></td>
      <td class="count">${watch.sms_count}<span class="unit"> ${words.SMS}</span></td>
      <td class="last">${last?.code && html`<${CodeButton} row=${last} id=${`order ${watch.watch_id}`} />`}</td>
      <td class="ends">${Ends(watch)}</td>
      <td class="acts">${!watch.unreadable && !readsOnly() && html`
        ${!isEnded(watch) && watch.order_kind === "activation" && act("next", words.NEXT)}
        <${Menu} id=${watch.watch_id} order=${order}>${isEnded(watch) ? act("reopen", words.REOPEN) : [act("finish", words.FINISH), act("cancel", words.CANCEL)]}<//>`}</td>
    </tr>`;
}

// What is done seldom, behind a button.
function Menu({ id, order, children }) {
  const [button, list] = [useRef(), useRef()];
  const shown = state.menu === id;
  useLayoutEffect(() => list.current?.querySelector("button").focus(), [shown]);
  function close() {
    button.current.focus(); // where it goes back to after a dialog
    change({ menu: null });
  }
  return html`
    <span class="menu" onKeyDown=${(event) => shown && event.key === "Escape" && (event.stopPropagation(), close())}>
      <button ref=${button} aria-label=${words.actionOn(words.MORE, order)} aria-expanded=${shown} onClick=${() => change({ menu: shown ? null : id })}>⋯</button>
      ${shown && html`<div ref=${list} class="choices" onClick=${close}>${children}</div>`}
    </span>`;
}

const ROUND = 2 * Math.PI * 6;
function Ends(watch) {
  if (isEnded(watch) || !watch.expires_at) return "";
  const leftMs = Math.max(0, Date.parse(watch.expires_at) - state.now);
  const whole = Date.parse(watch.expires_at) - Date.parse(watch.opened_at);
  const part = Math.min(1, leftMs / (whole || 1));
  return html`
    <svg class="ring" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6" /><circle cx="8" cy="8" r="6" class="part" stroke-dasharray=${`${part * ROUND} ${ROUND}`} transform="rotate(-90 8 8)" /></svg>
    ${age(leftMs)}`;
}
