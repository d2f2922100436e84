// A test SMS, to the callback URL of an account.

import { html } from "./vendor.js";
import { ApiError, ask } from "./feed.js";
import { readsOnly } from "./health.js";
import { change, state } from "./store.js";
import * as words from "./words.js";

const SHOWN = 4000; // ms

async function send(account) {
  try {
    const { status, reason } = await (await ask(state.token, `/v1/callbacks/${encodeURIComponent(account)}/test`, { method: "POST" })).json();
    say(status === "rejected" ? words.testRefused(reason) : words.TEST_SENT);
  } catch (error) {
    say(words.FAILED(error instanceof ApiError ? error.message : words.NOBODY));
  }
}
const say = (text) => change({ toast: { text, until: Date.now() + SHOWN } });

export const SendTest = ({ account, named }) => !readsOnly() && html`<button onClick=${() => send(account)}>${named ? words.sendTestTo(account) : words.SEND_TEST}</button>`;
