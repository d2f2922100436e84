// Copying, also where there is no clipboard: browsers have none for plain HTTP on other machines.

import { change, state } from "./store.js";
import * as words from "./words.js";

const SHOWN = 1000; // ms that "Copied" stands there

export async function copy(text, key, toast = null) {
  const done = (await byClipboard(text)) || byCommand(text);
  if (!done) return change({ dialog: { name: "copy", text } });
  const copied = { key, text };
  change({ copied, toast: toast ? { text: toast, until: Date.now() + 2000 } : state.toast });
  setTimeout(() => state.copied === copied && change({ copied: null }), SHOWN);
}

async function byClipboard(text) {
  if (!navigator.clipboard?.writeText) return false;
  return navigator.clipboard.writeText(text).then(() => true, () => false);
}
function byCommand(text) {
  const { activeElement } = document;
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.className = "sr";
  (document.querySelector("dialog[open]") || document.body).append(area);
  area.select();
  let done = false;
  try {
    done = document.execCommand("copy");
  } catch {
    done = false;
  }
  area.remove();
  activeElement?.focus?.({ preventScroll: true });
  return done;
}
export const label = (key, text) => (state.copied?.key === key ? words.COPIED : text);
