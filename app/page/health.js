// What /readyz, the metrics and the callbacks say of this smsbus.

import { ask } from "./feed.js";
import { change, state } from "./store.js";

const SAMPLE = /^(\w+)(?:\{(.*)\})? (\S+)$/;
const SINCE = "smsbus_degraded_since_timestamp_seconds";
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

// By name: [{ labels, value }].
function parsed(text) {
  const found = new Map();
  for (const line of text.split("\n")) {
    const [, name, labels = "", value] = SAMPLE.exec(line) || [];
    if (!name?.startsWith("smsbus_")) continue;
    const sample = { labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, key, text]) => [key, text])), value: Number(value) };
    found.has(name) ? found.get(name).push(sample) : found.set(name, [sample]);
  }
  return found;
}
const samples = (name) => state.health.metrics?.get(name) ?? [];
// The sum over processes and labels; null where nobody says it.
export const total = (name) => (samples(name).length ? samples(name).reduce((sum, sample) => sum + sample.value, 0) : null);
export const least = (name) => (samples(name).length ? Math.min(...samples(name).map((sample) => sample.value)) : null);
export const most = (name) => (samples(name).length ? Math.max(...samples(name).map((sample) => sample.value)) : null);
export const ofAccount = (name, account, pick) => {
  const values = samples(name).filter((sample) => sample.labels.account === account).map((sample) => sample.value);
  return values.length ? pick(...values) : null;
};

const RATE_OVER = 60_000; // ms
const polls = []; // what the counters said: { at, of: requests by account }, for the last minute
function notePolls(metrics) {
  const of = new Map();
  for (const { labels, value } of metrics.get("smsbus_polls_total") ?? []) of.set(labels.account, (of.get(labels.account) ?? 0) + value);
  polls.push({ at: Date.now(), of });
  while (polls[0].at < Date.now() - RATE_OVER) polls.shift();
}
// Requests a second to the provider of an account, as long as this page looks, a minute at most; null: not known yet.
export function rateOf(account) {
  const [first, last] = [polls[0], polls.at(-1)];
  const count = (last?.of.get(account) ?? 0) - (first?.of.get(account) ?? 0);
  return last === first || count < 0 ? null : (count * 1000) / (last.at - first.at);
}
export const accountsIn = (name) => [...new Set(samples(name).map((sample) => sample.labels.account).filter(Boolean))];

// A reason as /readyz says it, of the labels of a sample.
const reasonOf = ({ reason, account, forward, topic, error }) => [reason, account, forward, topic, error].filter(Boolean).join(":");

// Reasons with the moment since which they hold in any process; null: not said yet.
function since(reasons, metrics) {
  const began = (reason) => (metrics?.get(SINCE) ?? []).filter((sample) => reasonOf(sample.labels) === reason).map((sample) => sample.value * 1000);
  return new Map(reasons.map((reason) => [reason, began(reason).length ? Math.min(...began(reason)) : null]));
}

const PATIENCE = 5000; // ms for an answer of /readyz
const METRICS_EVERY = 5000; // ms between two looks at the metrics while something is wrong
let asking = 0; // questions that are under way
let metricsAt = 0;

// Ask how it is, once a second. `everything`: the metrics and the callbacks, too.
export async function readHealth({ everything }) {
  if (asking && !everything) return;
  asking += 1;
  try {
    if (state.access === null) change({ access: await readAccess(state.token) });
    const { status, degraded } = await (await ask(state.token, "/readyz", { signal: AbortSignal.timeout(PATIENCE) })).json();
    const isNews = degraded.join() !== [...state.health.reasons.keys()].join();
    change({ health: { ...state.health, status, reasons: since(degraded, state.health.metrics) } });
    if (everything || isNews || (degraded.length && Date.now() - metricsAt >= METRICS_EVERY)) await readMetrics(degraded);
    if (everything) await readCallbacks();
  } catch {
    change(); // the connection's bar says it
  } finally {
    asking -= 1;
  }
}
async function readMetrics(degraded) {
  metricsAt = Date.now();
  const metrics = parsed(await (await ask(state.token, "/metrics")).text());
  notePolls(metrics);
  change({ health: { ...state.health, metrics, reasons: since(degraded, metrics) } });
}
async function readCallbacks() {
  const callbacks = await ask(state.token, "/v1/callbacks").then((response) => response.json(), () => null);
  change({ health: { ...state.health, callbacks } });
}

export const readAccess = async (token) => (await ask(token, "/v1/token")).json();
// What the token may not do is not offered.
export const readsOnly = () => state.access?.reads_only !== false;

// Return since when, or null, of a reason that holds; undefined: it does not.
export const holds = (reason) => (state.health.reasons.has(reason) ? state.health.reasons.get(reason) : undefined);
