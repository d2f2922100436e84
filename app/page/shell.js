// The frame: rail, bars, dialogs, login.

import { html, useLayoutEffect, useRef } from "./vendor.js";
import { change, inbox, isPlain, railNumbers, state, unreadCount } from "./store.js";
import { age } from "./text.js";
import { displayed, hide, places } from "./list.js";
import { goingTo, hashOf, linkTo } from "./routes.js";
import { holds, total } from "./health.js";
import { Confirm, openOrders, Orders } from "./orders.js";
import { Add, AddOrder } from "./adding.js";
import { Replay } from "./replay.js";
import { colour, headline, Status } from "./status.js";
import { Detail } from "./detail.js";
import { ListPane } from "./inbox.js";
import { clock } from "./text.js";
import * as words from "./words.js";

const NUMBERS = 60; // in the rail
const PATIENCE = 3000; // ms without a connection that nobody needs to know of
const ICONS = {
  inbox: html`<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M3 11.5 5 4h10l2 7.5V16H3zM3 11.5h4l1 2h4l1-2h4" /></svg>`,
  orders: html`<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M4 5h12M4 10h12M4 15h8" /></svg>`,
  status: html`<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M2.5 10.5h3.5l2-5.5 4 10 2-4.5h3.5" /></svg>`,
};

export function App({ signIn, forget, mask }) {
  if (state.login) return html`<${Login} signIn=${signIn} />`;
  const { view, sms } = state.route;
  const listing = view === "inbox" || view === "rejected";
  return html`
    <div class=${`frame ${listing ? "" : "whole"} ${sms ? "opened" : ""} ${state.dense ? "dense" : ""}`}>
      <${Rail} forget=${forget} mask=${mask} />
      <main>
        <${Bars} />
        ${listing && html`<${ListPane} />`}
        ${view === "orders" && html`<${Orders} adding=${html`<${AddOrder} />`} />`}
        ${view === "status" && html`<${Status} /><${Foot} forget=${forget} mask=${mask} />`}
      </main>
      ${listing && html`<${Beside} />`}
    </div>
    <${Toast} />
    <${Dialog} />`;
}

// ---- rail ----------------------------------------------------------------------------------------------------------

const LINK_COLOURS = { live: "green", connecting: "", resting: "" }; // of all others: amber
// The connection to smsbus may be open, and yet what is here not all that came.
function linkWord() {
  if (state.link.word !== "live") return state.link.word;
  return ["kafka_away", "inbox_blind", "inbox_behind"].find((reason) => holds(reason) !== undefined) ?? "live";
}
function Rail({ forget, mask }) {
  const { list, all } = railNumbers(NUMBERS);
  const link = linkWord();
  return html`
    <nav class="rail" aria-label=${words.PRODUCT}>
      <p class="brand"><b>${words.PRODUCT}</b> <span class="link" data-stream=${state.link.word}><span class=${`dot ${LINK_COLOURS[link] ?? "amber"}`} aria-hidden="true"></span>${words.LINK[link]}</span></p>
      <div class="views">
        <${View} view="inbox" count=${unreadCount()} title=${words.unread(unreadCount())} />
        <${View} view="orders" count=${openOrders()?.length || 0} andMore=${state.orders.moreOpen} />
        <${View} view="status" dot=${colour()} note=${headline()} />
      </div>
      ${all > 0 && html`
        <h2>${words.NUMBERS}</h2>
        <ul class="numbers">${list.map(NumberLink)}</ul>
        ${all > list.length && html`<p class="quiet">${words.moreNumbers(all - list.length)}</p>`}`}
      <${Foot} forget=${forget} mask=${mask} />
    </nav>`;
}
const Foot = ({ forget, mask }) => html`
  <p class="foot">
    ${state.access?.reads_only && html`<span class="chip" title=${words.readsOnlyMore(state.access.accounts)}>${words.readsOnly(state.access.accounts)}</span>`}
    <button class="small" onClick=${() => change({ dialog: { name: "keys" } })}>${words.KEYS_TITLE} <kbd>?</kbd></button>
    <button class="small" onClick=${mask}>${state.masked ? words.UNMASK : words.MASK} <kbd>m</kbd></button>
    <button class="small" onClick=${forget}>${words.FORGET}</button>
  </p>`;
function View({ view, count = 0, andMore = false, title, dot, note }) {
  const { view: at, number } = state.route;
  const current = (at === view || (view === "inbox" && at === "rejected")) && !number;
  return html`
    <a href=${hashOf({ view })} aria-current=${current ? "page" : null} title=${count ? title : null}>
      ${ICONS[view]}<span class="name">${words.VIEWS[view]}</span>
      ${count > 0 && html`<i>${count > 999 ? "999+" : `${count}${andMore ? "+" : ""}`}</i>`}
      ${note && html`<span class=${`dot ${dot}`} aria-hidden="true"></span><span class="sr">: ${note}</span>`}
    </a>`;
}
const NumberLink = ({ number, last, unread }) => html`
  <li key=${number}>
    <a href=${linkTo(hashOf({ number }))} onClick=${goingTo({ number })} aria-current=${state.route.number === number ? "page" : null}>
      <span class="to"><span>${hide(number.slice(0, -4))}</span><b>${hide(number.slice(-4))}</b></span>
      ${unread > 0 ? html`<i>${unread > 99 ? "99+" : unread}</i>` : html`<span class="quiet">${age(state.now - last)}</span>`}
    </a>
  </li>`;

// ---- what is beside the list ---------------------------------------------------------------------------------------

let held = null; // the newest SMS that is shown, while a pointer is over it: it must not change under a click
export const newestShown = () => held ?? displayed("inbox").at(-1)?.id ?? null;
const hold = () => (held = newestShown());
const letGo = () => ((held = null), change());

function Beside() {
  const { sms, view } = state.route;
  const newest = sms === null && view === "inbox" ? newestShown() : null;
  const id = sms ?? newest;
  return html`
    <aside class="beside" tabindex="-1" aria-label=${words.SMS} onPointerEnter=${hold} onPointerLeave=${letGo}>
      ${id ? html`<${Detail} key=${id} id=${id} newest=${sms === null} />` : html`<p class="quiet pick">${places[view].rows.length ? words.PICK : ""}</p>`}
    </aside>`;
}

// ---- bars ----------------------------------------------------------------------------------------------------------

const SAID_ELSEWHERE = new Set(["not_found", "inbox_blind", "cursor_gone"]);
const since = (reason) => (holds(reason) ? clock(holds(reason)) : null);
function Bars() {
  const bar = barOf();
  return html`<div role="status">${bar && html`<p class=${`bar ${bar[0]}`}>${bar[1]}${bar[2] && html` <a href=${hashOf({ view: "status" })}>${words.WHAT_TO_DO}</a>`}</p>`}</div>`;
}
function barOf() {
  const { link, notice, health, route } = state;
  const lostFor = state.now - link.since;
  if (link.word === "lost" && !SAID_ELSEWHERE.has(link.error?.reason)) {
    if (link.error?.reason === "not_ready") return ["amber", words.NOT_READY];
    if (lostFor > PATIENCE) return ["amber", link.error?.message && link.error.status ? words.refusedBy(link.error) : words.lost(Math.round(lostFor / 1000))];
  }
  if (route.view === "status") return null; // it says all of the following
  if (holds("kafka_away") !== undefined) return health.status === "full" ? ["red", words.awayAndFull(since("kafka_away")), true] : ["amber", words.away(since("kafka_away"), total("smsbus_journal_rows")), true];
  if (holds("inbox_blind") !== undefined) return ["amber", words.blind(since("inbox_blind")), true];
  if (holds("inbox_behind") !== undefined) return ["amber", words.behind(inbox.rows.length ? clock(inbox.rows.at(-1).at, { seconds: true }) : null, total("smsbus_inbox_behind_records")), false];
  return notice ? ["accent", notice] : null;
}

function Toast() {
  const { toast } = state;
  return html`<div class="toast" role="status">${toast && html`<p>${toast.text}${toast.undo && html` <button class="small" onClick=${() => (toast.undo(), change({ toast: null }))}>${words.UNDO}</button>`}</p>`}</div>`;
}

// ---- dialogs -------------------------------------------------------------------------------------------------------

const close = () => change({ dialog: null });
function Dialog() {
  const element = useRef();
  const { dialog } = state;
  useLayoutEffect(() => {
    if (dialog && !element.current.open) element.current.showModal();
    if (!dialog && element.current.open) element.current.close();
    if (dialog) element.current.querySelector("[autofocus]")?.focus();
  }, [dialog]);
  return html`
    <dialog ref=${element} onClose=${close} onClick=${(event) => event.target === element.current && close()} aria-label=${dialog?.name === "keys" ? words.KEYS_TITLE : words.PRODUCT}>
      <div>
        ${dialog?.name === "keys" && html`<${Keys} />`}
        ${dialog?.name === "copy" && html`<h2>${words.PRESS_COPY}</h2><textarea readonly autofocus aria-label=${words.COPY} onFocus=${(event) => event.target.select()}>${dialog.text}</textarea>`}
        ${dialog?.name === "confirm" && html`<${Confirm} ...${dialog} done=${close} />`}
        ${dialog?.name === "add" && html`<${Add} done=${close} />`}
        ${dialog?.name === "replay" && html`<${Replay} ...${dialog} done=${close} />`}
        ${["keys", "copy"].includes(dialog?.name) && html`<p class="actions"><button onClick=${close}>${words.CLOSE}</button></p>`}
      </div>
    </dialog>`;
}
const nameOf = (key) => [...key.split(" ")].map((part) => html`<kbd>${words.KEY_NAMES[part] || part}</kbd>`);
const Keys = () => html`
  <h2>${words.KEYS_TITLE}</h2>
  <dl class="keys">${words.KEYS.map(([name, keys, does]) => html`<div key=${name}><dt>${does}</dt><dd>${keys.map(nameOf)}</dd></div>`)}</dl>`;

// ---- login ---------------------------------------------------------------------------------------------------------

function Login({ signIn }) {
  const input = useRef();
  useLayoutEffect(() => input.current.focus(), []);
  const said = { ended: words.SESSION_ENDED, wrong: words.WRONG_TOKEN, nobody: words.NOBODY }[state.login];
  const submit = (event) => {
    event.preventDefault();
    if (input.current.value.trim()) signIn(input.current.value.trim());
  };
  const [before, command, after] = words.LOGIN_HINT;
  return html`
    <main class="login">
      <form onSubmit=${submit}>
        <p class="brand"><b>${words.PRODUCT}</b></p>
        <h1>${words.LOGIN}</h1>
        ${said && html`<p class="bar amber" role="alert">${said}</p>`}
        <p>${before}<code>${command}</code>${after}</p>
        ${state.login === "first" && html`<p class="quiet">${words.EACH_TAB} ${!isPlain() || state.route.sms ? words.LINK_WAITS : ""}</p>`}
        <label for="token">${words.TOKEN}</label>
        <input id="token" ref=${input} type="password" autocomplete="off" spellcheck="false" />
        <button class="primary" type="submit">${words.OPEN}</button>
      </form>
    </main>`;
}
