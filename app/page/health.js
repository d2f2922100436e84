// What /readyz, the metrics and the callbacks say of this smsbus.

import { ask } from "./feed.js";
import { change, state } from "./store.js";

const SAMPLE = /^(\w+)(?:\{(.*)\})? (\S+)$/;
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
export const accountsIn = (name) => [...new Set(samples(name).map((sample) => sample.labels.account).filter(Boolean))];

// Reasons with the moment since which this page has seen them; null: since before it was opened.
function since(reasons) {
  const before = state.health.reasons;
  const first = state.health.status === null;
  return new Map(reasons.map((reason) => [reason, before.has(reason) ? before.get(reason) : first ? null : Date.now()]));
}

export async function readHealth({ everything }) {
  try {
    const { status, degraded } = await (await ask(null, "/readyz")).json();
    change({ health: { ...state.health, status, reasons: since(degraded) } });
    if (!everything && !degraded.includes("kafka_away")) return;
    const metrics = parsed(await (await ask(null, "/metrics")).text());
    change({ health: { ...state.health, metrics } });
    const callbacks = await ask(state.token, "/v1/callbacks").then((response) => response.json(), (error) => ({ refused: error.reason }));
    change({ health: { ...state.health, callbacks } });
  } catch {
    change(); // the connection's bar says it
  }
}

// A token that only reads: what it may not do is not offered.
export const readsOnly = () => state.health.callbacks?.refused === "read_only";

// Return since when, or null, of a reason that holds; undefined: it does not.
export const holds = (reason) => (state.health.reasons.has(reason) ? state.health.reasons.get(reason) : undefined);
