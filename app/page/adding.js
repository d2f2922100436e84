// Adding an order that was bought elsewhere: from then on it is polled. Nothing is bought.

import { html, useState } from "./vendor.js";
import { ApiError, ask } from "./feed.js";
import { change, state } from "./store.js";
import { accountsIn, readsOnly } from "./health.js";
import { readOrders } from "./orders.js";
import { goTo } from "./routes.js";
import * as words from "./words.js";

export const AddOrder = () => !readsOnly() && html`<button onClick=${() => change({ dialog: { name: "add" } })}>${words.ADD_ORDER}</button>`;

export function Add({ done }) {
  const [refused, setRefused] = useState(null);
  async function submit(event) {
    event.preventDefault();
    const asked = Object.fromEntries([...new FormData(event.target)].map(([name, text]) => [name, text.trim()]));
    try {
      const { watch_id: watch } = await (await ask(state.token, "/v1/watches", { method: "POST", body: JSON.stringify(asked) })).json();
      done();
      goTo({ view: "orders", watch });
      readOrders();
    } catch (error) {
      setRefused(error instanceof ApiError && error.message ? error.message : words.NOBODY);
    }
  }
  return html`
    <form onSubmit=${submit}>
      <h2>${words.ADD_ORDER}</h2>
      <p>${words.ADD_MEANS}</p>
      ${refused && html`<p class="bar amber" role="alert">${refused}</p>`}
      <label>${words.FACTS.account} <input name="account" list="accounts" autofocus required autocomplete="off" spellcheck="false" /></label>
      <datalist id="accounts">${accountsIn("smsbus_account_open").map((name) => html`<option key=${name} value=${name} />`)}</datalist>
      <label>${words.FACTS.order} <input name="order_id" required autocomplete="off" spellcheck="false" /></label>
      <label>${words.KIND} <select name="order_kind">${["activation", "rent"].map((kind) => html`<option key=${kind} value=${kind}>${words.KINDS[kind]}</option>`)}</select></label>
      <p class="actions"><button type="button" onClick=${done}>${words.CLOSE}</button><button class="primary" type="submit">${words.ADD}</button></p>
    </form>`;
}
