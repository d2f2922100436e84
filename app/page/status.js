// Status: what is wrong, in words, and the numbers that this process knows.

import { html } from "./vendor.js";
import { inbox, lastOfAccount, rejected, state } from "./store.js";
import { age, clock, exact } from "./text.js";
import { accountsIn, least, most, ofAccount, rateOf, readsOnly, total } from "./health.js";
import { hashOf } from "./routes.js";
import { Command } from "./detail.js";
import { SendTest } from "./sending.js";
import { MEANINGS } from "./meanings.js";
import * as words from "./words.js";

const HOUR = 3_600_000;
const A_NAME = /^[\w.-]+$/; // what gets into a command that is copied

// A reason as sentences; one that smsbus has no words for, as it is.
export function told(reason) {
  const [word, name] = /^([^:]*):?(.*)$/s.exec(reason).slice(1);
  if (!Object.hasOwn(MEANINGS, word)) return { what: reason, users: "", todo: words.UNKNOWN_REASON };
  const named = (text, shown) => (shown ? text.replaceAll("NAME", () => shown) : text);
  const { what, users, do: todo } = MEANINGS[word];
  return { what: named(what, name), users: named(users, name), todo: named(todo, A_NAME.test(name) ? name : "") };
}

// "" where all is well, "amber", or "red" where nothing is accepted.
export function colour() {
  const { status, reasons } = state.health;
  if (state.link.word === "lost") return "amber";
  if (status === null) return "";
  if (status === "full") return "red";
  return reasons.size || status !== "ready" ? "amber" : "green";
}
export function headline() {
  const { status, reasons } = state.health;
  if (state.link.word === "lost") return words.NOT_KNOWN;
  if (status === null) return words.CHECKING;
  if (status === "full") return words.FULL;
  if (status === "starting") return words.STARTING;
  if (status === "stopping") return words.STOPPING;
  return reasons.size ? words.attention(reasons.size) : words.WORKS;
}

export function Status() {
  return html`
    <div class="page">
      <h1 class="large"><span class="dot ${colour()}" aria-hidden="true"></span>${headline()}</h1>
      ${[...state.health.reasons].map(([reason, since]) => html`<${Reason} key=${reason} reason=${reason} since=${since} />`)}
      <${Drift} />
      <${Strip} />
      <${Accounts} />
      <p class="quiet">${words.NOT_HERE}</p>
    </div>`;
}

// Of each provider that sends what nobody knew, the newest sample.
function Drift() {
  const newest = new Map();
  for (const { event } of rejected.rows) if (event.reason === "unknown_shape") newest.set(event.provider, event.id);
  return [...newest].map(([provider, id]) => html`<p key=${provider} class="quiet">${words.drift(words.PROVIDERS[provider] || provider)} <a href=${hashOf({ view: "rejected", sms: id })}>${words.SHOW}</a></p>`);
}
function Reason({ reason, since }) {
  const { what, users, todo } = told(reason);
  return html`
    <section class="reason">
      <h2>${what}</h2>
      ${users && html`<p><b>${words.USERS_NOTICE}:</b> ${users}</p>`}
      <p><b>${words.WHAT_TO_DO}:</b> ${withCommands(todo)}</p>
      <p class="quiet"><code>${reason}</code>${since && html` · <time title=${exact(since)}>${words.since(clock(since, { seconds: true }))}</time>`}</p>
    </section>`;
}
// What stands between backticks: a command is copied with a click.
const withCommands = (text) => text.split("`").map((part, index) => (index % 2 === 0 ? part : part.startsWith("smsbus ") ? html`<${Command} text=${part} />` : html`<code>${part}</code>`));

function Strip() {
  const behind = Math.round(most("smsbus_inbox_behind_seconds") ?? 0);
  const connected = least("smsbus_kafka_connected");
  const cells = [
    [words.STRIP.callbacks, total("smsbus_callbacks_total"), words.STRIP_NOTES.callbacks],
    [words.STRIP.journal, total("smsbus_journal_rows"), words.STRIP_NOTES.journal],
    [words.STRIP.kafka, total("smsbus_published_total"), connected === 0 ? words.STRIP_NOTES.notConnected : words.STRIP_NOTES.connected],
    [words.STRIP.inbox, total("smsbus_inbox_events"), behind ? words.STRIP_NOTES.behind(behind) : words.STRIP_NOTES.inbox],
  ].filter(([, value]) => value !== null);
  if (!cells.length) return null;
  return html`
    <ol class="strip">${cells.map(([name, value, note]) => html`
      <li key=${name}><span class="quiet">${name}</span><b>${value.toLocaleString("en")}</b><span class="quiet">${note}</span></li>`)}
    </ol>`;
}

function Accounts() {
  const used = new Map((state.health.callbacks?.accounts ?? []).map(({ account, tokens }) => [account, tokens.map((token) => token.last_used_at).filter(Boolean).sort().at(-1)]));
  const names = [...new Set([...used.keys(), ...accountsIn("smsbus_account_open")])].sort();
  if (!names.length) return null;
  return html`
    <h2>${words.ACCOUNTS}</h2>
    <table class="accounts">
      <thead><tr>${words.ACCOUNT_COLUMNS.map((name) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead>
      <tbody>${names.map((name) => Account(name, used))}</tbody>
    </table>
    ${used.size > 0 && !readsOnly() && html`
      <p class="actions">${[...used.keys()].map((name) => html`<${SendTest} key=${name} account=${name} named=${used.size > 1} />`)}</p>
      <p class="quiet">${words.TEST_MEANS}</p>`}`;
}
function stateOf(name, contact) {
  const has = (word) => state.health.reasons.has(`${word}:${name}`);
  if (has("account_paused")) return ["red", words.ACCOUNT_STATES.paused];
  if (has("account_backing_off")) return ["amber", words.ACCOUNT_STATES.backing_off];
  if (has("account_limited") || has("over_share") || has("account_overloaded")) return ["amber", words.ACCOUNT_STATES.limited];
  return contact ? ["green", words.ACCOUNT_STATES.works] : ["", words.ACCOUNT_STATES.quiet];
}
function Account(name, used) {
  const polled = ofAccount("smsbus_poll_last_success_timestamp_seconds", name, Math.max);
  const contact = Math.max(Date.parse(used.get(name)) || 0, (polled ?? 0) * 1000, lastOfAccount.get(name) ?? 0) || null;
  const [kind, word] = stateOf(name, contact);
  const cell = (index, value) => html`<td data-name=${words.ACCOUNT_COLUMNS[index]}>${value}</td>`;
  return html`
    <tr key=${name}>
      <td class="state"><b>${name}</b></td>
      ${cell(1, html`<span class="dot ${kind}" aria-hidden="true"></span>${word}`)}
      ${cell(2, contact ? words.ago(age(state.now - contact)) : words.NOT_HEARD)}
      ${cell(3, html`<${Budget} account=${name} />`)}
      ${cell(4, html`<${Delays} account=${name} />`)}
    </tr>`;
}

// Between the provider's time and ours, of the SMS of the last hour, a point for each minute; looked at once a second.
const looked = new Map();
function delaysOf(account) {
  if (looked.get(account)?.now !== state.now) looked.set(account, { now: state.now, points: pointsOf(account) });
  return looked.get(account).points;
}
function pointsOf(account) {
  const points = new Map();
  for (let index = inbox.rows.length - 1; index >= 0; index -= 1) {
    const { at, sms } = inbox.rows[index];
    if (state.now - at > HOUR) break;
    if (sms.account !== account || !sms.provider_time) continue;
    const minute = Math.floor((state.now - at) / 60_000);
    points.set(minute, Math.max(points.get(minute) ?? 0, (at - Date.parse(sms.provider_time)) / 1000));
  }
  return points;
}
const sum = (...values) => values.reduce((one, other) => one + other);
// How much of its requests a second an account uses, and whether it could do with more.
function Budget({ account }) {
  const budget = ofAccount("smsbus_account_budget", account, sum);
  if (budget === null) return "–";
  const [rate, stretch] = [rateOf(account), ofAccount("smsbus_account_stretch", account, Math.max) ?? 1];
  const part = Math.min(1, (rate ?? 0) / budget);
  return html`
    <svg class=${`budget ${stretch >= 1.05 ? "amber" : ""}`} viewBox="0 0 80 8" aria-hidden="true"><rect width="80" height="8" rx="4" /><rect width=${80 * part} height="8" rx="4" class="part" /></svg>
    <span class="quiet">${words.used(rate, budget)}</span>
    ${stretch >= 1.05 && html` <span class="badge" title=${words.slowedMore(ofAccount("smsbus_polls_queued", account, sum) ?? 0)}>${words.slowed(stretch)}</span>`}`;
}
function Delays({ account }) {
  const points = delaysOf(account);
  if (!points.size) return html`<span class="quiet">${words.NO_DELAYS}</span>`;
  const values = [...points.values()];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const line = [...points].map(([minute, value]) => `${117 - minute * 1.9},${21 - (value / Math.max(high, 1)) * 18}`).join(" ");
  return html`
    <svg class="spark" viewBox="0 0 120 24" role="img" aria-label=${words.delays(account, low.toFixed(1), high.toFixed(1))}><polyline points=${line} />${points.size === 1 && html`<circle cx=${line.split(",")[0]} cy=${line.split(",")[1]} r="2" />`}</svg>
    <span class="quiet">${words.SECONDS(high.toFixed(1))}</span>`;
}
