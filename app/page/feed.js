// The connection: what is here, then what comes, by cursor, so that nothing is missed and nothing comes twice.

const EVENTS = "received,rejected,watch_ended";
const PAGE = 1000;
const SILENCE = 20_000; // ms; the server says something every 15 s
const RETRY = 1000;
const AGES = "3650d"; // all that is here

export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || "");
    this.status = status;
    this.reason = problem.reason || "";
    this.problem = problem;
  }
}

// Ask the API. Raises ApiError for what it refuses, TypeError where it cannot be reached.
export async function ask(token, path, { method = "GET", signal, body } = {}) {
  const response = await fetch(path, {
    method, signal, body, cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
    headers: token ? { Authorization: `Bearer ${token}` } : {},
  });
  if (response.ok || path === "/readyz") return response;
  const problem = await response.json().catch(() => ({}));
  throw new ApiError(response.status, problem);
}

export const kindOf = (event) => ("body_sha256" in event ? "rejected" : "ended_at" in event ? "watch_ended" : "received");

const visible = () =>
  new Promise((resolve) => {
    const look = () => document.hidden || (document.removeEventListener("visibilitychange", look), resolve());
    document.addEventListener("visibilitychange", look);
    look();
  });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Feed {
  // `take(events, how)`: how is "newest", "older", "live" or "after_gap". `link(word, error)` says how the connection is.
  constructor(token, { take, link }) {
    this.token = token;
    this.take = take;
    this.link = link;
    this.cursor = null;
    this.stopped = false;
    this.abort = null;
    this.reading = new AbortController(); // of what is older, which goes on while the tab is hidden
    this.onHidden = () => document.hidden && this.abort?.abort("hidden");
    document.addEventListener("visibilitychange", this.onHidden);
    this.run();
  }

  stop() {
    this.stopped = true;
    document.removeEventListener("visibilitychange", this.onHidden);
    this.abort?.abort("stopped");
    this.reading.abort("stopped");
  }

  async run() {
    while (!this.stopped) {
      await visible();
      const error = await this.once();
      if (this.stopped) return;
      const hidden = document.hidden;
      this.link(hidden ? "resting" : "lost", hidden ? null : error);
      if (error instanceof ApiError && [401, 403, 404].includes(error.status)) return this.stop();
      if (!hidden) await pause(RETRY);
    }
  }

  // Follow until something ends it; return what.
  async once() {
    this.abort = new AbortController();
    try {
      if (this.cursor === null) await this.begin("newest");
      await this.stream();
      return null;
    } catch (error) {
      // A cursor that is too old: what followed it is not here any more. Go on with what is.
      if (error instanceof ApiError && error.status === 400) await this.begin("after_gap").catch(() => {});
      return error;
    }
  }

  async list(parameters, signal = this.abort.signal) {
    const response = await ask(this.token, `/v1/sms?events=${EVENTS}&limit=${PAGE}${parameters}`, { signal });
    return response.json();
  }

  // Take the newest page, and go on from there; what is older comes beside it.
  async begin(how) {
    const page = await this.list("");
    this.cursor = page.cursor;
    this.take(page.items, how);
    if (page.items.length) this.older(page.items[0].observed_at || page.items[0].ended_at).catch(() => {});
  }

  // Bring what is older than the newest page, oldest first, up to where that begins.
  async older(until) {
    let parameters = `&since=${AGES}`;
    for (;;) {
      const page = await this.list(parameters, this.reading.signal);
      const old = page.items.filter((event) => (event.observed_at || event.ended_at) <= until);
      this.take(old, "older");
      if (!old.length || old.length < page.items.length) return; // a page of large events is short, and not the last
      parameters = `&since=${page.cursor}`;
    }
  }

  async stream() {
    const { abort } = this;
    let silence = 0;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort("silence"), SILENCE);
    };
    heard();
    try {
      const response = await ask(this.token, `/v1/stream?events=${EVENTS}&since=${this.cursor}`, { signal: abort.signal });
      this.link("live", null);
      await this.read(response.body.getReader(), heard);
    } finally {
      clearTimeout(silence);
    }
  }

  async read(reader, heard) {
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      text += decoder.decode(value, { stream: true });
      const end = text.lastIndexOf("\n\n");
      if (end < 0) continue;
      this.frames(text.slice(0, end));
      text = text.slice(end + 2);
    }
  }

  frames(text) {
    const events = [];
    let cursor = null;
    for (const line of text.split("\n")) {
      if (line.startsWith("data: ")) events.push(JSON.parse(line.slice(6)));
      else if (line.startsWith("id: ")) cursor = line.slice(4);
    }
    if (events.length) this.take(events, "live");
    if (cursor) this.cursor = cursor; // after what it stands behind was taken
  }
}
