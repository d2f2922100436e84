// The address says what is shown: view, number, search, where to start, the open SMS, and the order.

import { change, state } from "./store.js";

const VIEWS = new Set(["inbox", "rejected", "orders", "status"]);
const EMPTY = { view: "inbox", number: null, query: "", from: 0, sms: null, watch: null };

export function routeOf(hash) {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split("?");
  const [first, second] = path.split("/");
  const asked = new URLSearchParams(search);
  return {
    view: VIEWS.has(first) ? first : "inbox",
    number: first === "n" && /^\d+$/.test(second || "") ? second : null,
    query: asked.get("q") || "",
    from: Number(asked.get("from")) || 0,
    sms: asked.get("sms") || null,
    watch: asked.get("watch") || null,
  };
}
export function hashOf(changes) {
  const route = { ...EMPTY, ...changes };
  const asked = new URLSearchParams();
  if (route.query) asked.set("q", route.query);
  if (route.from) asked.set("from", String(route.from));
  if (route.sms) asked.set("sms", route.sms);
  if (route.watch) asked.set("watch", route.watch);
  const path = route.number ? `n/${route.number}` : route.view;
  return `#/${path}${asked.size ? `?${asked}` : ""}`;
}
export const here = (changes) => hashOf({ ...state.route, ...changes });
// While everything is hidden, the address says the view alone, and so do links, which browsers show; the history
// knows the rest.
const covered = (hash) => hashOf({ view: routeOf(hash).view });
export const linkTo = (hash) => (state.masked ? covered(hash) : hash);
const uncovered = () => history.state?.hash ?? location.hash;
function write(hash, how) {
  history[how](state.masked ? { hash } : null, "", linkTo(hash));
}

// Go there. `replace`: without a step for Back.
export function go(changes, { replace = false } = {}) {
  const hash = here(changes);
  if (hash === uncovered()) return;
  write(hash, replace ? "replaceState" : "pushState");
  follow();
}
export const goTo = (route, options) => go({ ...EMPTY, ...route }, options);
// What a click on a link does whose address says less while everything is hidden.
export const goingTo = (route) => (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  goTo(route);
};
export function follow() {
  const hash = uncovered();
  if (location.hash !== linkTo(hash)) write(hash, "replaceState");
  change({ route: routeOf(hash), menu: null });
}

const MASKED = "smsbus-masked"; // in sessionStorage: a reload must not show what was hidden
export const wasMasked = () => sessionStorage.getItem(MASKED) === "1";
// Hide everything, also in the address, or show it again.
export function mask(masked) {
  sessionStorage.setItem(MASKED, masked ? "1" : "");
  change({ masked });
  follow();
}

// Take the token out of the address, at once.
export function tokenInAddress() {
  const found = new URLSearchParams(location.hash.slice(1)).get("token");
  if (found !== null) history.replaceState(null, "", `${location.pathname}#/inbox`);
  return found;
}
