// One SMS, large: its code first, then its text, and how it came.

import { html } from "./vendor.js";
import { ApiError, ask } from "./feed.js";
import { change, inbox, rejected, state } from "./store.js";
import * as text from "./text.js";
import { copy, label } from "./copy.js";
import { hide } from "./list.js";
import { go, goingTo, hashOf, linkTo } from "./routes.js";
import { noOrders, request } from "./orders.js";
import { readsOnly } from "./health.js";
import { canReplay, replay } from "./replay.js";
import * as words from "./words.js";

const fetched = new Map(); // by id: { sms, way, forwards, at }, "gone", or null while it is asked for
const MOST = 200;
const AGAIN = 2000; // ms until it is asked for again while a target has not passed it

// What only the API knows of an SMS: the way that it came, the targets that have it, and one that the page has not read.
function known(id) {
  const found = fetched.get(id);
  if (found === undefined) {
    if (fetched.size > MOST) fetched.clear();
    fetched.set(id, null);
    read(id);
  } else if (found?.forwards !== undefined && isUnderWay(found) && Date.now() - found.at > AGAIN) {
    found.at = Date.now();
    read(id);
  }
  return fetched.get(id);
}
const isUnderWay = ({ forwards }) => forwards === null || Object.values(forwards).includes(false);
function read(id) {
  ask(state.token, `/v1/sms/${encodeURIComponent(id)}`)
    .then((response) => response.json())
    .then((found) => fetched.set(id, { ...found, at: Date.now() }))
    .catch((error) => (error instanceof ApiError && error.status === 404 ? fetched.set(id, "gone") : setTimeout(() => fetched.get(id) ?? fetched.delete(id), 1000)))
    .finally(() => change());
}

export const close = () => go({ sms: null });
export const linkOf = (id) => `${location.origin}${location.pathname}${hashOf({ view: rejected.byId.has(id) ? "rejected" : "inbox", sms: id })}`;

export const Copied = ({ what, id, name, kind = "" }) => html`<button class=${kind} onClick=${() => copy(what, id)}>${label(id, name)}</button>`;

export function Command({ text: command }) {
  return html`<span class="command"><code>${hide(command)}</code><${Copied} what=${command} id=${`command ${command}`} name=${words.COPY} kind="small" /></span>`;
}

export function Detail({ id, newest }) {
  const bad = rejected.byId.get(id);
  if (bad) return html`<${Rejected} event=${bad.event} />`;
  const extra = known(id);
  const sms = inbox.byId.get(id)?.sms || extra?.sms;
  if (!sms) return html`<${Missing} id=${id} gone=${extra === "gone"} />`;
  if (!("text" in sms)) return html`<${Rejected} event=${sms} />`;
  return html`<${Sms} sms=${sms} way=${extra?.way} forwards=${extra?.forwards} newest=${newest} />`;
}

function Head({ newest, at, badge }) {
  return html`
    <header>
      ${!newest && html`<button class="back" onClick=${close}><span aria-hidden="true">←</span> ${words.BACK}</button>`}
      <span class="quiet">${newest && html`<b>${words.NEWEST}</b> · `}<time title=${text.exact(at)}>${words.ago(text.age(state.now - at))}</time></span>
      ${badge && html`<span class="badge">${badge}</span><span class="quiet">${words.BADGES[badge] || ""}</span>`}
    </header>`;
}

function Missing({ id, gone }) {
  return html`
    <article class="detail">
      <header><button class="back" onClick=${close}><span aria-hidden="true">←</span> ${words.BACK}</button></header>
      ${gone ? html`<p class="large">${words.GONE}</p><p>${words.OLDER} <${Command} text=${words.gone(id)} /></p>` : html`<p class="quiet late">${words.LOOKING}</p>`}
    </article>`;
}

function Sms({ sms, way, forwards, newest }) {
  const at = Date.parse(sms.observed_at);
  const badge = sms.freshness !== "live" ? sms.freshness : sms.message_type !== "sms" ? sms.message_type : "";
  const wait = text.waitCommand(sms);
  return html`
    <article class="detail" aria-label=${words.SMS}>
      <${Head} newest=${newest} at=${at} badge=${badge} />
      ${sms.code === null ? html`<p class="large">${words.NO_CODE}</p>` : html`<p class="big"><bdi>${hide(text.visible(text.spaced(sms.code)))}</bdi></p>`}
      ${sms.code !== null && html`<p class="act"><${Copied} what=${sms.code} id=${`detail ${sms.id}`} name=${words.COPY_CODE} kind="primary" /></p>`}
      ${sms.text ? html`<p class="sms" dir="auto">${hide(text.visible(sms.text))}</p>` : html`<p class="sms none">${sms.text === null ? words.NO_TEXT : words.EMPTY_TEXT}</p>`}
      <p class="actions">
        <${Copied} what=${linkOf(sms.id)} id=${`link ${sms.id}`} name=${words.COPY_LINK} />
        ${wait && html`<${Copied} what=${wait} id=${`wait ${sms.id}`} name=${words.COPY_WAIT} />`}
        ${sms.order_kind === "activation" && !readsOnly() && html`<button onClick=${() => request("next", sms.watch_id)}>${words.NEXT}</button>`}
      </p>
      <${Facts} rows=${factsOf(sms)} />
      <h2>${words.WAY}</h2>
      <${Facts} rows=${[...wayOf(sms, way, at), ...targetsOf(forwards)]} />
      <h2>${words.CHECK}</h2>
      <${Facts} rows=${checksOf(sms)} />
      <${Event} event=${sms} />
    </article>`;
}

const Facts = ({ rows }) => html`
  <dl>${rows.filter(([, value]) => value).map(([name, value, note], index) => html`<div key=${`${name} ${index}`}><dt>${name}</dt><dd><bdi dir="auto">${value}</bdi>${note && html` <span class="quiet">${note}</span>`}</dd></div>`)}</dl>`;

const shown = (value) => (value ? hide(text.visible(value)) : null);
function factsOf(sms) {
  const to = text.digits(sms.recipient || sms.recipient_raw);
  return [
    [words.FACTS.to, to && html`<a href=${linkTo(hashOf({ number: to }))} onClick=${goingTo({ number: to })}>${shown(sms.recipient || sms.recipient_raw)}</a>`],
    [words.FACTS.from, shown(sms.sender || sms.sender_raw)],
    [words.FACTS.service, shown(sms.service)],
    [words.FACTS.account, shown(sms.account), words.PROVIDERS[sms.provider] || sms.provider],
    [words.FACTS.order, sms.order_id && orderLink(sms), sms.order_kind],
    [words.FACTS.ref, shown(sms.client_ref)],
    [words.FACTS.sequence, sms.sequence === null || sms.sequence === undefined ? null : words.nth(sms.sequence)],
  ];
}
function orderLink(sms) {
  if (!sms.watch_id || noOrders()) return shown(sms.order_id);
  const order = { view: "orders", watch: sms.watch_id };
  return html`<a href=${linkTo(hashOf(order))} onClick=${goingTo(order)}>${shown(sms.order_id)}</a>`;
}
function wayOf(sms, way, at) {
  const sent = sms.provider_time ? Date.parse(sms.provider_time) : null;
  const clock = sms.provider_time_basis === "assumed" ? words.THEIR_CLOCK_ASSUMED : words.THEIR_CLOCK;
  const delay = sent === null ? "" : `${words.later(Math.round((at - sent) / 100) / 10)}, `;
  const day = sent !== null && Math.abs(at - sent) > 43_200_000 ? text.exact(sent) : sent === null ? "" : text.clock(sent, { tenths: true });
  return [
    [words.SENT, sent === null ? "–" : day, sent === null ? words.NO_TIME : clock],
    [words.ACCEPTED, text.clock(at, { tenths: true }), `${delay}${words.received[sms.received_via] || sms.received_via}`],
    [words.STORED, way ? words.place(way) : "…", way ? words.VIA[way.via] || "" : ""],
  ];
}
function targetsOf(forwards) {
  if (forwards === null) return [[words.TARGET, words.TARGETS_UNKNOWN]];
  return Object.entries(forwards ?? {}).map(([name, passed]) => [words.TARGET, shown(name), words.TARGETS[passed]]);
}
function checksOf(sms) {
  const body = sms.text || "";
  const { alphabet, count } = text.segments(body);
  const bound = text.bound(body);
  return [
    [words.CHECKS.alphabet, body && words.ALPHABETS[alphabet], body && words.length([...body].length, count)],
    [words.CHECKS.rule, sms.code !== null && (words.RULES[sms.code_source] || sms.code_source)],
    [words.CHECKS.bound, bound && shown(words.bound(bound.origin, bound.code === sms.code))],
  ];
}

function Event({ event }) {
  const json = JSON.stringify(event, null, 2);
  return html`
    <details>
      <summary>${words.EVENT}</summary>
      <${Copied} what=${json} id=${`json ${event.id}`} name=${words.COPY_JSON} kind="small" />
      <pre tabindex="0" dir="ltr">${hide(text.visible(json))}</pre>
    </details>`;
}

function Rejected({ event }) {
  const bytes = event.body_base64 === null ? null : text.bytesOf(event.body_base64);
  const sentence = words.REJECTED_REASONS[event.reason];
  const facts = Object.entries(event.facts || {}).map(([name, value]) => [name, shown(value)]);
  return html`
    <article class="detail" aria-label=${words.REJECTED}>
      <${Head} at=${Date.parse(event.observed_at)} />
      <p class="large">${sentence || event.reason}</p>
      ${canReplay(event) && html`<p class="actions"><button onClick=${() => replay(event.id)}>${words.REPLAY}</button></p>`}
      <${Facts} rows=${[[words.REJECTED_FACTS.reason, event.reason], [words.REJECTED_FACTS.stage, event.stage], [words.REJECTED_FACTS.account, shown(event.account)], [words.REJECTED_FACTS.size, words.bytes(event.body_bytes)], [words.REJECTED_FACTS.when, text.exact(Date.parse(event.observed_at))], ...facts]} />
      <h2>${words.BODY}</h2>
      ${!event.body_complete && html`<p class="quiet">${bytes ? words.ONLY_START : words.NO_BODY}</p>`}
      ${bytes && html`<h3>${words.AS_TEXT}</h3><pre tabindex="0" dir="auto">${hide(text.visible(new TextDecoder().decode(bytes)))}</pre><h3>${words.AS_HEX}</h3><pre class="hex" tabindex="0" dir="ltr">${hide(text.hex(bytes))}</pre>`}
      <${Event} event=${event} />
    </article>`;
}
