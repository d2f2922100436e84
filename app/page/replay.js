// A second try of what was rejected: first what would come of it, then, once that is confirmed, the publishing.

import { html } from "./vendor.js";
import { ApiError, ask } from "./feed.js";
import { change, state } from "./store.js";
import { readsOnly } from "./health.js";
import { hashOf } from "./routes.js";
import * as words from "./words.js";

const STAGES = new Set(["parse", "normalize"]);

// Only the whole bytes of a callback can be read once more, and only the operator's token may ask for it.
export const canReplay = (event) => !readsOnly() && event.received_via === "callback" && STAGES.has(event.stage) && event.body_complete;

export const replay = (id) => tried(id, { dry: true });

async function tried(id, { dry }) {
  const dialog = { name: "replay", id, dry, result: null, error: null };
  change({ dialog });
  const answer = await asked(id, dry);
  if (state.dialog === dialog) change({ dialog: { ...dialog, ...answer } });
}
async function asked(id, dry) {
  try {
    const response = await ask(state.token, `/v1/rejected/${encodeURIComponent(id)}/replay`, { method: "POST", body: JSON.stringify({ dry_run: dry }) });
    return { result: await response.json() };
  } catch (error) {
    return { error: error instanceof ApiError && error.message ? error.message : words.NOBODY };
  }
}

export function Replay({ id, dry, result, error, done }) {
  const offered = dry && result?.sms.length > 0;
  return html`
    <h2>${error ? words.NOT_REPLAYED : result ? headOf(result) : dry ? words.TRYING : words.PUBLISHING}</h2>
    ${error && html`<p>${error}</p>`}
    ${result && linesOf(result).map((line) => html`<p key=${line}>${line}</p>`)}
    ${offered && html`<p>${words.REPLAY_MEANS}</p>`}
    <p class="actions">
      ${result?.published && html`<a href=${hashOf({ sms: result.sms[0] })} onClick=${done}>${words.SHOW_IT}</a>`}
      <button class=${offered ? "primary" : ""} autofocus onClick=${done}>${offered ? words.LEAVE_IT : words.CLOSE}</button>
      ${offered && html`<button onClick=${() => tried(id, { dry: false })}>${words.PUBLISH(result.sms.length)}</button>`}
    </p>`;
}
function headOf({ sms, published, already }) {
  if (published) return words.published(sms.length);
  if (sms.length) return words.readable(sms.length);
  return already ? words.THERE_ALREADY : words.STILL_NOT;
}
function linesOf({ sms, already, failing }) {
  const reasons = Object.entries(failing).map(([reason, count]) => words.stillFails(count, words.REJECTED_REASONS[reason] || reason));
  return sms.length && already ? [words.already(already), ...reasons] : reasons;
}
