// The list of the inbox: search, tabs, rows, and what stands there where there are none.

import { html, useRef, useState } from "./vendor.js";
import { change, hiddenCount, inbox, isPlain, rejected, shownRows, state, valuesOf } from "./store.js";
import { VirtualList, SmsRow, RejectedRow, hide, places } from "./list.js";
import { suggest } from "./search.js";
import { go, hashOf, mask } from "./routes.js";
import { Command } from "./detail.js";
import { accountsIn, readsOnly } from "./health.js";
import { AddOrder } from "./adding.js";
import { SendTest } from "./sending.js";
import { openOrders } from "./orders.js";
import { age } from "./text.js";
import * as words from "./words.js";

const UNDO = 5000; // ms

export function ListPane() {
  const bad = state.route.view === "rejected";
  const rows = bad ? rejected.rows : shownRows();
  if (!rows.length) places[bad ? "rejected" : "inbox"].rows = rows; // there is no list to do it
  return html`
    <section class="pane" aria-label=${bad ? words.REJECTED : words.VIEWS.inbox}>
      <h1 class="sr">${bad ? words.REJECTED : words.VIEWS.inbox}</h1>
      ${!bad && html`<${Search} />`}
      <${Tabs} bad=${bad} />
      ${rows.length > 0 && html`
        <div class=${`heads ${bad ? "bad" : ""} ${readsOnly() ? "" : "acting"}`} aria-hidden="true">${(bad ? words.REJECTED_COLUMNS : words.COLUMNS).map((name) => html`<span key=${name}>${name}</span>`)}</div>
        <${VirtualList} name=${bad ? "rejected" : "inbox"} rows=${rows} of=${bad ? RejectedRow : SmsRow} wanted=${bad ? "" : wantedKey()} title=${bad ? words.REJECTED : words.RECEIVED} />`}
      ${rows.length === 0 && state.link.since && html`<div class="empty">${bad ? Nothing(words.NO_REJECTED, words.NO_REJECTED_MORE) : html`<${Empty} />`}</div>`}
    </section>`;
}
const wantedKey = () => `${state.route.number}\n${state.route.from}\n${state.route.query}`;

function Tabs({ bad }) {
  const hidden = bad ? 0 : hiddenCount();
  const { number } = state.route;
  return html`
    <div class="tabs">
      <a href=${hashOf({ view: "inbox" })} aria-current=${bad ? null : "page"}>${words.RECEIVED}</a>
      <a href=${hashOf({ view: "rejected" })} aria-current=${bad ? "page" : null}>${words.REJECTED}${rejected.rows.length > 0 && html` <i>${rejected.rows.length.toLocaleString("en")}</i>`}</a>
      ${number && html`<span class="chip number"><span class="mono">…${hide(number.slice(-4))}</span> <button class="small" aria-label=${words.ALL_NUMBERS} onClick=${() => go({ number: null })}>×</button></span>`}
      <span class="space"></span>
      ${state.masked && html`<span class="quiet">${words.MASKED}</span><button class="small" onClick=${() => mask(false)}>${words.UNMASK}</button>`}
      ${hidden > 0 && html`<span class="quiet">${words.hidden(hidden)}</span><button class="small" onClick=${() => go({ from: 0 })}>${words.SHOW_AGAIN}</button>`}
      ${!bad && !state.masked && hidden === 0 && inbox.rows.length > 0 && html`<button class="small" title=${words.START_HERE_HINT} onClick=${startHere}>${words.START_HERE}</button>`}
    </div>`;
}
function startHere() {
  const { from } = state.route;
  go({ from: inbox.rows.at(-1)?.at ?? 0, sms: null });
  change({ toast: { text: words.hidden(hiddenCount()), until: Date.now() + UNDO, undo: () => go({ from }) } });
}

function Search() {
  const input = useRef();
  const [at, setAt] = useState(-1); // the suggestion that the arrows are at
  const [opened, setOpened] = useState(false);
  const { query } = state.route;
  const found = opened && !state.masked ? suggest(query, valuesOf) : [];
  const set = (text) => (go({ query: text, sms: null }, { replace: true }), setAt(-1));
  const pick = (each) => (set(each.query), input.current.focus());
  function keys(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpened(true);
      setAt((at + (event.key === "ArrowDown" ? 1 : found.length)) % (found.length || 1));
    } else if (event.key === "Enter") {
      if (at >= 0 && found[at]) pick(found[at]);
      else setOpened(false), input.current.blur();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (opened && found.length) setOpened(false);
      else if (query) set("");
      else input.current.blur();
    } else setOpened(true);
  }
  return html`
    <div class="search" role="search">
      <svg viewBox="0 0 16 16" aria-hidden="true"><circle cx="7" cy="7" r="4.5" /><path d="M10.5 10.5 14 14" /></svg>
      <input ref=${input} id="search" type="text" class=${state.masked ? "masked" : ""} role="combobox" aria-label=${words.SEARCH_LABEL} placeholder=${words.SEARCH} value=${query}
        aria-expanded=${found.length > 0} aria-controls="suggestions" aria-autocomplete="list" aria-activedescendant=${at >= 0 ? `suggestion-${at}` : null}
        autocomplete="off" autocapitalize="off" spellcheck="false" enterkeyhint="search" onInput=${(event) => (setOpened(true), set(event.target.value))} onKeyDown=${keys} onFocus=${() => setOpened(true)} onBlur=${() => setOpened(false)} />
      ${query ? html`<button class="small" onClick=${() => set("")}>${words.CLEAR}</button>` : html`<kbd aria-hidden="true">/</kbd>`}
      <ul id="suggestions" role="listbox" aria-label=${words.SEARCH_LABEL} hidden=${found.length === 0}>
        ${found.map((each, index) => html`<li key=${each.text} id=${`suggestion-${index}`} role="option" aria-selected=${index === at} onPointerDown=${(event) => (event.preventDefault(), pick(each))}><bdi>${each.text}</bdi><span class="quiet">${each.note}</span></li>`)}
      </ul>
    </div>`;
}

const Nothing = (what, more) => html`<p class="large">${what}</p>${more && html`<p class="quiet">${more}</p>`}`;

function Empty() {
  const { query, number, from } = state.route;
  if (state.link.error?.status === 404) return Nothing(words.NO_INBOX, words.NO_INBOX_MORE);
  if (state.link.word === "connecting") return html`<p class="quiet late">${words.LINK.connecting}</p>`;
  if (query) {
    const others = inbox.rows.length - hiddenCount();
    return html`${Nothing(words.NO_MATCH(hide(query)), words.others(others))}<button onClick=${() => go({ query: "", number: null })}>${words.CLEAR}</button>`;
  }
  if (number) return html`${Nothing(words.NO_NUMBER(hide(number)))}<p>${words.OLDER} <${Command} text=${words.TRACE(number)} /></p>`;
  if (from) return Nothing(words.ALL_HIDDEN);
  return html`${Nothing(words.NO_SMS, words.NO_SMS_MORE)}<${FirstTime} />`;
}

// What brings the first SMS, for each kind of account that is here.
function FirstTime() {
  const polled = accountsIn("smsbus_account_open").length > 0 || openOrders() !== null;
  return html`
    ${(state.health.callbacks?.accounts ?? []).map(({ account, tokens }) => html`
      <section key=${account}>
        <p>${words.lastCallback(account, last(tokens))}</p>
        <p><span class="quiet">${words.CALLBACK_URL_FOR}</span> <${Command} text=${words.CALLBACK_URL(account)} /></p>
        ${!readsOnly() && html`<p><${SendTest} account=${account} /></p><p class="quiet">${words.TEST_MEANS}</p>`}
      </section>`)}
    ${polled && html`
      <section>
        <p>${words.POLLED_EMPTY} ${openOrders()?.length === 0 && words.NO_ORDERS}</p>
        <p><${AddOrder} /></p>
      </section>`}`;
}
function last(tokens) {
  const at = tokens.map((token) => token.last_used_at).filter(Boolean).sort().at(-1);
  return at ? words.ago(age(state.now - Date.parse(at))) : null;
}
