// Every text of the page. Plain words, verbs on buttons; an error says what, whether anything is lost, and what next.

const many = (count, one, more) => `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

export const PRODUCT = "smsbus";
export const VIEWS = { inbox: "Inbox", orders: "Orders", status: "Status" };
export const NUMBERS = "Numbers";
export const ALL_NUMBERS = "All numbers";
export const moreNumbers = (count) => `${many(count, "more", "more")}: search with to:`;
export const unread = (count) => `${many(count, "new SMS", "new SMS")}`;
export const RECEIVED = "Received";
export const REJECTED = "Rejected";
export const CODE = "Code";
export const COLUMNS = ["Received", "To", "From and text", "Code"];
export const REJECTED_COLUMNS = ["Received", "Account", "Reason", "Size"];
export const title = (count) => (count ? `(${count > 99 ? "99+" : count}) ${PRODUCT}` : PRODUCT);

// ---- time ----------------------------------------------------------------------------------------------------------

export const NOW = "now";
export const SECONDS = (n) => `${n} s`;
export const MINUTES = (n) => `${n} min`;
export const HOURS = (n) => `${n} h`;
export const DAYS = (n) => `${n} d`;
const plural = (n, unit) => `${n} ${unit}${n === 1 ? "" : "s"}`;
const SPOKEN = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
export function spokenAge(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 1) return "just now";
  const [size, unit] = SPOKEN.find(([size]) => seconds >= size);
  return `${plural(Math.floor(seconds / size), unit)} ago`;
}
export const ago = (age) => (age === NOW ? "just now" : `${age} ago`);

// ---- list ----------------------------------------------------------------------------------------------------------

export const SEARCH = "Search: text, number, to:, has:code";
export const SEARCH_LABEL = "Search SMS";
export const TOKENS = {
  "to:": "a number, or its last digits",
  "service:": "the provider's word for the service",
  "account:": "an account of yours",
  "ref:": "your own text of a watch",
  "has:code": "only SMS with a code",
  "order:": "the provider's id of an order",
  "provider:": "who the number was rented from",
  "freshness:": "live, recovered, history or replayed",
  "contains:": "a part of the text",
  "watch:": "the id of a watch",
};
export const START_HERE = "Start from here";
export const START_HERE_HINT = "Hide what came until now. Nothing is deleted";
export const hidden = (count) => `${many(count, "earlier SMS is", "earlier SMS are")} hidden.`;
export const SHOW_AGAIN = "Show again";
export const UNDO = "Undo";
export const CLEAR = "Clear";
export const pill = (count) => `${count.toLocaleString("en")} new`;
export const NO_TEXT = "no text from the provider";
export const EMPTY_TEXT = "empty SMS";
export const BADGES = {
  history: "was there before the watch: it may be old",
  recovered: "published late: it may be old",
  replayed: "published again by hand",
  call: "the last digits of a caller",
  voice: "spoken by a caller",
};
export const gap = (from, to) => `${from}–${to} is no longer in this inbox`;
export const PICK = "Select one to see it here.";

const spelled = (code) => [...code].join(" ");
const toNumber = (number) => (number ? `number ending ${spelled(number.slice(-4))}` : "an unknown number");
export function sentence(row, age) {
  const what = row.code ? `Code ${spelled(row.code)}` : "SMS without a code";
  const from = row.from ? `, from ${row.from}` : "";
  return `${what} for ${toNumber(row.to)}${from}, ${age}${row.badge ? `, ${row.badge}` : ""}`;
}
export const forNumber = (number) => `for ${toNumber(number)}`;
export const arrived = (count) => many(count, "new SMS", "new SMS");
export const HIDDEN_ROW = "Hidden SMS";

// ---- detail --------------------------------------------------------------------------------------------------------

export const BACK = "Back";
export const CLOSE = "Close";
export const NEWEST = "Newest SMS";
export const COPY_CODE = "Copy code";
export const COPY = "Copy";
export const COPIED = "Copied";
export const PRESS_COPY = "Press Ctrl+C";
export const copiedFor = (what) => `Copied ${what}`;
export const COPY_LINK = "Copy link";
export const ITS_LINK = "its link";
export const COPY_WAIT = "Copy as wait command";
export const COPY_JSON = "Copy JSON";
export const NO_CODE = "No code found in this SMS";
export const FACTS = {
  to: "To", from: "From", service: "Service", account: "Account", order: "Order", ref: "Ref", sequence: "SMS of the order",
};
export const nth = (sequence) => `number ${sequence + 1}`;
export const WAY = "How it came";
export const SENT = "Sent";
export const ACCEPTED = "Accepted";
export const STORED = "In Kafka";
export const THEIR_CLOCK = "their clock";
export const THEIR_CLOCK_ASSUMED = "their clock, its zone assumed";
export const NO_TIME = "the provider gives no time";
export const later = (seconds) => (seconds < 0 ? `${-seconds} s before` : `${seconds} s later`);
export const place = (way) => `partition ${way.partition}, offset ${way.offset}`;
export const VIA = {
  kafka: "directly, without waiting on disk", journal: "by way of the journal: it waited on disk for Kafka",
  replay: "published again by an operator",
};
export const received = { callback: "by callback", poll: "by polling" };
export const TARGET = "Forwarding";
export const TARGETS = { true: "passed: sent, or not wanted there", false: "waits to be sent" };
export const TARGETS_UNKNOWN = "Kafka cannot say now which targets have it";
export const CHECK = "Check";
export const CHECKS = { alphabet: "Alphabet", length: "Length", rule: "Code", bound: "Bound to" };
export const ALPHABETS = { gsm: "GSM-7", ucs: "UCS-2" };
export const length = (characters, segments) =>
  `${many(characters, "character", "characters")}, ${many(segments, "segment", "segments")}`;
export const RULES = { provider: "given by the provider", extracted: "found in the text by smsbus" };
export const bound = (origin, fits) => (fits ? origin : `${origin}, with another code`);
export const EVENT = "Event";
export const GONE = "This SMS is not in the inbox any more.";
export const gone = (id) => `smsbus trace ${id}`;
export const OLDER = "Older ones:";
export const LOOKING = "Looking for it.";

// ---- nothing there -------------------------------------------------------------------------------------------------

export const NO_SMS = "No SMS yet.";
export const NO_SMS_MORE = "It appears here by itself, within a second of its arrival.";
export const lastCallback = (account, when) => `${account} (PingMe). Last callback: ${when || "never"}.`;
export const NEVER = "never";
export const CALLBACK_URL = (account) => `smsbus callback url ${account}`;
export const CALLBACK_URL_FOR = "The URL to enter at PingMe:";
export const SEND_TEST = "Send a test SMS";
export const sendTestTo = (account) => `Send a test SMS to ${account}`;
export const TEST_MEANS = "It goes the whole way, from the receiver through Kafka, and whoever consumes the topic gets it, too.";
export const TEST_SENT = "Test SMS sent. It appears by itself.";
export const testRefused = (reason) => `The receiver could not read the test SMS: ${reason}`;
export const POLLED_EMPTY = "Polled accounts receive SMS for open orders.";
export const ADD_ORDER = "Add an order";
export const ADD_MEANS = "One that was bought before, by its number at the provider: its SMS appear from now on. Nothing is bought.";
export const KIND = "Kind";
export const KINDS = { activation: "Activation: SMS of one service", rent: "Rent: all SMS of a number" };
export const ADD = "Add";
export const NO_MATCH = (query) => `No SMS matches ${query}.`;
export const others = (count) => `${many(count, "other is", "others are")} here.`;
export const NO_NUMBER = (number) => `Nothing for …${number.slice(-4)} here.`;
export const TRACE = (number) => `smsbus trace ${number}`;
export const NO_REJECTED = "Nothing was rejected.";
export const NO_REJECTED_MORE = "What cannot be read as an SMS is kept with its exact bytes, and shown here.";
export const ALL_HIDDEN = "You start from here. New SMS appear by themselves.";
export const NO_INBOX = "There is no inbox in this process.";
export const NO_INBOX_MORE = "It serves callbacks or polls only. Open the page of a process that has the inbox: smsbus serve --role all";

// ---- connection ----------------------------------------------------------------------------------------------------

export const LINK = {
  live: "Live", connecting: "Connecting", lost: "Not connected", resting: "Paused",
  kafka_away: "Kafka away", inbox_blind: "Not live", inbox_behind: "Behind",
};
export const lost = (seconds) => `Connection lost ${seconds} s ago. Reconnecting. Nothing is missed.`;
export const meanwhile = (count) => `${count.toLocaleString("en")} arrived meanwhile.`;
const unreachable = (since) => (since ? `Kafka has been unreachable since ${since}` : "Kafka is unreachable");
export const away = (since, waiting) =>
  `${unreachable(since)}. SMS are still accepted` +
  `${waiting === null ? "" : ` (${waiting.toLocaleString("en")} in the journal)`} and appear here when it returns.`;
export const awayAndFull = (since) =>
  `${unreachable(since)}, and the journal takes no more: callbacks get 503, and their senders repeat them.`;
export const blind = (since) =>
  `Kafka cannot be read${since ? ` since ${since}` : ""}: SMS that come now are not shown yet. Nothing is lost; they appear when it can be read again.`;
export const behind = (upTo, toGo) =>
  `${upTo ? `Showing up to ${upTo}` : "Still reading"}${toGo ? `, ${toGo.toLocaleString("en")} to go` : ""}. It catches up by itself.`;
export const NOT_READY = "The inbox is still reading what was published. A moment.";
export const WHAT_TO_DO = "What to do";
export const TRY_AGAIN = "Trying again by itself.";
export const refusedBy = (error) => (error.status === 503 ? `${error.message} ${TRY_AGAIN}` : error.message);

// ---- login ---------------------------------------------------------------------------------------------------------

export const LOGIN = "Open the inbox";
export const LOGIN_HINT = ["Paste a token, or run ", "smsbus open", " where smsbus runs."];
export const TOKEN = "Token";
export const OPEN = "Open";
export const SESSION_ENDED = "This session ended. Your filters are kept.";
export const WRONG_TOKEN = "This token was not accepted: it is not the one of this smsbus. That is SMSBUS_ADMIN__TOKEN, or in the file admin-token of its data directory.";
export const EACH_TAB = "Each tab asks for it once, and forgets it when it is closed.";
export const LINK_WAITS = "What your link shows opens then.";
export const NOBODY = "smsbus does not answer at this address. Is it running?";
export const readsOnly = (accounts) => (accounts ? `${accounts.join(", ")} only` : "Reads only");
export const readsOnlyMore = (accounts) => `This is admin.read_token: it changes nothing${accounts ? `, and shows the SMS of ${accounts.join(", ")} alone` : ""}`;
export const NOT_YOURS = "This token does not show orders.";
export const FORGET = "Forget the token";

// ---- orders --------------------------------------------------------------------------------------------------------

export const ORDER_COLUMNS = ["State", "Order", "Number", "Service", "SMS", "Last code", "Ends", "Actions"];
export const STATES = {
  waiting: "Waiting", code: "Has code", sms: "Has SMS", next: "Next requested", ending: "Ending",
  unreadable: "Not readable",
};
const ENDINGS = {
  finished: "finished", cancelled: "cancelled", expired: "expired", gone: "unknown to the provider", stopped: "not watched",
};
export const ended = (reason) => `Ended: ${ENDINGS[reason] || reason}`;
export const NEXT = "Next SMS";
export const FINISH = "Finish";
export const CANCEL = "Cancel";
export const REOPEN = "Reopen";
export const MORE = "More";
export const KEEP = "Keep";
export const CONFIRM = {
  cancel: {
    ask: (order, provider) => `Cancel order ${order} at ${provider}?`,
    more: "The number is given back. Whether you are refunded is up to them.",
    yes: "Cancel order",
  },
  finish: {
    ask: (order, provider) => `Finish order ${order} at ${provider}?`,
    more: "It ends there, and receives no more SMS.",
    yes: "Finish order",
  },
};
export const actionOn = (action, order) => `${action}, order ${order}`;
export const REQUESTED = { next: "Next SMS requested.", finish: "Finish requested.", cancel: "Cancel requested.", reopen: "Reopened." };
export const refusedUntil = (code, left) => `Refused: ${code}. Trying again in ${left}.`;
export const refused = (action, code) => `${REFUSED_ACTIONS[action] || action} was refused: ${code}.`;
const REFUSED_ACTIONS = { next: "Next SMS", finish: "Finish", cancel: "Cancel" };
export const postponed = (left) => `Trying again in ${left}.`;
export const NO_ORDERS = "No open orders.";
export const NO_POLLED = "No polled accounts here.";
export const NO_POLLED_MORE = "Orders belong to GrizzlySMS, SMSVerified and SMS-Man accounts. This process has none.";
export const SHOW_ENDED = "Show ended orders";
export const hideEnded = "Hide ended orders";
export const ONLY_NEWEST = (count) => `Only the newest ${count} orders are shown. The others: smsbus watch list --all`;
export const ONE_ORDER = "Order";
export const ALL_ORDERS = "All orders";
export const ITS_SMS = "Show its SMS";
export const UNKNOWN_ORDER = "This order is not watched, or it ended too long ago.";
export const RENT = "rent";
export const PROVIDERS = { pingme: "PingMe", smsverified: "SMSVerified", grizzlysms: "GrizzlySMS", smsman: "SMS-Man" };
export const FAILED = (detail) => `Not done. ${detail}`;

// ---- rejected ------------------------------------------------------------------------------------------------------

export const REJECTED_REASONS = {
  body_empty: "The body is empty.",
  not_json: "The body is not JSON.",
  not_an_object: "The body is JSON, but not an object.",
  too_deep: "The JSON is nested too deeply.",
  too_many: "The array has too many elements.",
  text_missing: "There is no text in it.",
  text_not_a_string: "Its text is an object or an array.",
  unknown_shape: "A sample, without any value, of an answer that has keys or words nobody knew: has the provider changed?",
  user_mismatch: "Its userId is not the one of this account.",
  field_not_a_string: "A field that must be a text is none.",
  record_too_large: "It is too large for a record.",
  internal_error: "A bug in smsbus: please report it with the log's line.",
  journal_row_damaged: "It was damaged on disk while it waited for Kafka.",
  refused_by_broker: "Kafka refused the record, usually for its size.",
  not_a_callback: "It is no callback, so there is nothing to try again.",
  body_incomplete: "Only its start was kept, so it cannot be read.",
  unknown_account: "Its account is not in the settings of this process.",
  other_elements: "Its array is read differently now: what was refused is not there any more.",
};
export const REPLAY = "Replay";
export const replayOf = (age) => `Replay what was rejected ${age}`;
export const TRYING = "Reading it once more.";
export const PUBLISHING = "Publishing.";
export const readable = (count) => (count === 1 ? "It can be read now: 1 SMS." : `It can be read now: ${count} SMS.`);
export const REPLAY_MEANS = "Published, consumers get it under the id that it would have had, as “replayed”: late, so no wait for a code takes it.";
export const PUBLISH = (count) => `Publish ${count} SMS`;
export const LEAVE_IT = "Leave it";
export const published = (count) => `${count} SMS published.`;
export const SHOW_IT = "Show it";
export const THERE_ALREADY = "Nothing to publish: its SMS is there already.";
export const already = (count) => `${count} more SMS of it ${count === 1 ? "is" : "are"} there already.`;
export const STILL_NOT = "It still cannot be read.";
export const stillFails = (count, reason) => (count === 1 ? reason : `${count} times: ${reason}`);
export const NOT_REPLAYED = "Not done.";
export const rejectedSentence = (age, account, reason) => `Rejected ${age}, account ${account}: ${reason}`;
export const bytes = (count) => (count < 1024 ? `${count} B` : `${(count / 1024).toFixed(1)} KB`);
export const REJECTED_FACTS = { account: "Account", reason: "Reason", stage: "Stage", size: "Size", when: "Received", sha: "SHA-256" };
export const BODY = "What came";
export const AS_TEXT = "Text";
export const AS_HEX = "Hex";
export const ONLY_START = "Only its start was kept.";
export const NO_BODY = "Its bytes were not kept.";

// ---- status --------------------------------------------------------------------------------------------------------

export const WORKS = "Everything works.";
export const attention = (count) => `${many(count, "thing needs", "things need")} attention.`;
export const FULL = "No SMS can be accepted now.";
export const STARTING = "smsbus is starting.";
export const STOPPING = "smsbus is stopping.";
export const NOT_KNOWN = "Nothing is known: the connection is lost.";
export const CHECKING = "Checking.";
export const since = (time) => `since ${time}`;
export const USERS_NOTICE = "What users notice";
export const STRIP = { callbacks: "Callbacks", journal: "Journal", kafka: "Kafka", inbox: "Inbox" };
export const STRIP_NOTES = {
  callbacks: "since the start", journal: "waiting on disk", connected: "connected", notConnected: "not connected",
  inbox: "SMS here", behind: (seconds) => `${seconds} s behind`,
};
export const drift = (provider) => `${provider} sends something new, which smsbus does not know.`;
export const SHOW = "Show";
export const ACCOUNTS = "Accounts";
export const ACCOUNT_COLUMNS = ["Account", "State", "Last contact", "Budget", "Delay, 60 min"];
export const used = (rate, budget) => (rate === null ? `${budget} requests a second` : `${rate.toFixed(1)} of ${budget}/s`);
export const slowed = (factor) => `${factor.toFixed(1)} times slower than planned`;
export const slowedMore = (queued) => `It has more orders than its budget can poll as often as planned. ${many(queued, "poll waits", "polls wait")} now.`;
export const ACCOUNT_STATES = { works: "Works", paused: "Paused: wrong key", backing_off: "Provider in trouble", limited: "Limited", quiet: "No contact yet" };
export const delays = (account, low, high) => `Delays of ${account}: ${low} to ${high} s`;
export const NOT_HEARD = "not heard since it started";
export const NO_DELAYS = "no times from it";
export const NOT_HERE = "Only what this process knows is shown. Other replicas have pages of their own; smsbus status and the metrics have the rest.";
export const UNKNOWN_REASON = "docs/operations.md explains this word.";

// ---- keys and the rest ---------------------------------------------------------------------------------------------

// The one table of keys: the help is drawn from it, and app.js has an action for each name.
export const KEYS = [
  ["next", ["j", "ArrowDown"], "Next SMS in the list"],
  ["previous", ["k", "ArrowUp"], "Previous SMS"],
  ["open", ["Enter"], "Open it"],
  ["close", ["Escape"], "Close, or clear the search"],
  ["copy", ["c"], "Copy its code"],
  ["link", ["y"], "Copy its link"],
  ["search", ["/"], "Search"],
  ["newest", ["."], "Go to the newest"],
  ["more", ["n"], "Request the next SMS of its order"],
  ["mask", ["m"], "Hide everything, for screen sharing"],
  ["dense", ["d"], "More rows, or larger ones"],
  ["inbox", ["g i"], "Inbox"],
  ["orders", ["g o"], "Orders"],
  ["status", ["g s"], "Status"],
  ["help", ["?"], "These keys"],
];
export const KEY_NAMES = { ArrowDown: "↓", ArrowUp: "↑", Escape: "Esc" };
export const KEYS_TITLE = "Keys";
export const MASK = "Hide everything";
export const UNMASK = "Show again";
export const MASKED = "Hidden for screen sharing.";
export const SMS = "SMS";
export const NOTHING_TO_COPY = "There is no code to copy.";
export const NO_ORDER = "This SMS belongs to no order.";
