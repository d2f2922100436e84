/*
 * The records of smsbus, made by `smsbus schema export --format typescript`: `JSON.parse(text) as SmsReceived`.
 *
 * Ignore keys that you do not know, and expect other words than those that are listed. Drop repeats by `id`.
 */

/** An SMS that one of our numbers received. */
export interface SmsReceived {
  /** Drop repeats by it: the same SMS has the same id on every path. */
  readonly id: string;
  /** Who gave us the SMS. Known values: `pingme`, `smsverified`, `grizzlysms`, `smsman`; expect others. */
  readonly provider: "pingme" | "smsverified" | "grizzlysms" | "smsman" | (string & {});
  /** The name that our configuration gives the account. */
  readonly account: string;
  /** How it reached us. Known values: `callback`, `poll`; expect others. */
  readonly received_via: "callback" | "poll" | (string & {});
  /** What was bought; null for PingMe. Known values: `activation`, `rent`; expect others. */
  readonly order_kind: "activation" | "rent" | (string & {}) | null;
  /** The provider's id of it, always text; null for PingMe. */
  readonly order_id: string | null;
  /** The handle that opening the watch returned. */
  readonly watch_id: string | null;
  /** Your own text from the watch, echoed. */
  readonly client_ref: string | null;
  /** 0, 1, 2 … within the order. */
  readonly sequence: number | null;
  /** The provider's word for the service; not comparable across providers. */
  readonly service: string | null;
  /** What kind of message it is. Known values: `sms`, `call`, `voice`; expect others. */
  readonly message_type: "sms" | "call" | "voice" | (string & {});
  /** Our number, E.164 by syntax; null if it does not look so. */
  readonly recipient: string | null;
  /** Our number as the provider spells it. */
  readonly recipient_raw: string | null;
  /** Who sent it: E.164 where it is a phone, else as given. */
  readonly sender: string | null;
  /** The sender as the provider spells it. */
  readonly sender_raw: string | null;
  /** What the sender is; null if and only if it is null. Known values: `phone`, `short_code`, `alphanumeric`, `unknown`; expect others. */
  readonly sender_kind: "phone" | "short_code" | "alphanumeric" | "unknown" | (string & {}) | null;
  /** The SMS. Null: the provider gives no text. Empty: an empty SMS. */
  readonly text: string | null;
  /** The verification code in its own form; null when there is none or doubt. */
  readonly code: string | null;
  /** Who found the code; null if and only if it is null. Known values: `provider`, `extracted`; expect others. */
  readonly code_source: "provider" | "extracted" | (string & {}) | null;
  /** The provider's time: a label, never an order. */
  readonly provider_time: string | null;
  /** The provider's time as it spells it. */
  readonly provider_time_raw: string | null;
  /** Whether the provider stated the zone or we assumed it; null if and only if there is no time. Known values: `stated`, `assumed`; expect others. */
  readonly provider_time_basis: "stated" | "assumed" | (string & {}) | null;
  /** When we first saw it; also the Kafka record's timestamp, unless an operator replayed it. */
  readonly observed_at: string;
  /** Only `live` is news: anything else may be an old code. Known values: `live`, `recovered`, `history`, `replayed`; expect others. */
  readonly freshness: "live" | "recovered" | "history" | "replayed" | (string & {});
  /** What else the provider sent, at most 2 KiB. */
  readonly provider_fields: { readonly [key: string]: string } | null;
}

/** A dead letter: something meant for us that we could not represent or publish. */
export interface SmsRejected {
  /** Drop repeats by it: the same bytes, refused for the same reason. */
  readonly id: string;
  /** Whose it is. Known values: `pingme`, `smsverified`, `grizzlysms`, `smsman`; expect others. */
  readonly provider: "pingme" | "smsverified" | "grizzlysms" | "smsman" | (string & {});
  /** The name that our configuration gives the account. */
  readonly account: string;
  /** How it reached us. Known values: `callback`, `poll`; expect others. */
  readonly received_via: "callback" | "poll" | (string & {});
  /** How far it came. Known values: `verify`, `parse`, `normalize`, `publish`, `forward`, `shape`; expect others. */
  readonly stage: "verify" | "parse" | "normalize" | "publish" | "forward" | "shape" | (string & {});
  /** Why it was refused: a machine word, stable. Known values: `not_json`, `text_missing`, `unknown_shape`; expect others. */
  readonly reason: "not_json" | "text_missing" | "unknown_shape" | (string & {});
  /** The exact bytes; of an oversized body only the start. */
  readonly body_base64: string | null;
  /** Length of the whole body. */
  readonly body_bytes: number;
  /** SHA-256 of the whole body. */
  readonly body_sha256: string;
  /** Whether body_base64 is all of it. */
  readonly body_complete: boolean;
  /** What else is known of the request, without secrets. */
  readonly facts: { readonly [key: string]: string };
  /** When we saw it; also the Kafka record's timestamp. */
  readonly observed_at: string;
}

/** The end of a watch: whoever waits for its SMS can stop waiting. */
export interface WatchEnded {
  /** The handle that opening the watch returned. */
  readonly watch_id: string;
  /** Where the order is. Known values: `pingme`, `smsverified`, `grizzlysms`, `smsman`; expect others. */
  readonly provider: "pingme" | "smsverified" | "grizzlysms" | "smsman" | (string & {});
  /** The name that our configuration gives the account. */
  readonly account: string;
  /** What was bought. Known values: `activation`, `rent`; expect others. */
  readonly order_kind: "activation" | "rent" | (string & {});
  /** The provider's id of it, always text. */
  readonly order_id: string;
  /** The number, E.164 by syntax. */
  readonly recipient: string | null;
  /** Your own text from the watch, echoed. */
  readonly client_ref: string | null;
  /** Why it ended. Known values: `finished`, `cancelled`, `expired`, `gone`, `stopped`; expect others. */
  readonly reason: "finished" | "cancelled" | "expired" | "gone" | "stopped" | (string & {});
  /** How many SMS it had: their sequences are 0 to this less one. */
  readonly sms_count: number;
  /** When it ended; also the Kafka record's timestamp. */
  readonly ended_at: string;
  /** How many times the watch had been opened again before this end. */
  readonly opening?: number;
}

/** One request about a watch: a command, not an event. It carries the whole description of the watch. */
export interface Watch {
  /** Made from account, order_kind and order_id. */
  readonly watch_id: string;
  /** Names the request, which is done once; null: its content names it. */
  readonly request_id?: string | null;
  /** The name that our configuration gives the account. */
  readonly account: string;
  /** What was bought. Known values: `activation`, `rent`; expect others. */
  readonly order_kind: "activation" | "rent" | (string & {});
  /** The provider's id of it, always text. */
  readonly order_id: string;
  /** The number, if you know it. */
  readonly recipient?: string | null;
  /** The provider's word for the service. */
  readonly service?: string | null;
  /** What kind of message is expected. Known values: `sms`, `call`, `voice`; expect others. */
  readonly message_type?: "sms" | "call" | "voice" | (string & {});
  /** `watch` opens, reopens or prolongs; `next` asks the provider for the next SMS; `stop` ends the watching, `finish` and `cancel` end the order at the provider. One of `watch`, `next`, `stop`, `finish`, `cancel`. */
  readonly desired?: "watch" | "next" | "stop" | "finish" | "cancel" | (string & {});
  /** Of `next`: ask once this many SMS were seen; null: after those seen by then. */
  readonly next_after?: number | null;
  /** When it was asked for. */
  readonly opened_at: string;
  /** Of `watch`: when watching ends at the latest; null: not stated. */
  readonly expires_at?: string | null;
  /** What becomes of SMS older than the watch. One of `emit`, `skip`. */
  readonly history?: "emit" | "skip" | (string & {});
  /** What we do to the order after an SMS; `keep`: nothing. One of `keep`, `request_next`, `finish`. */
  readonly after_sms?: "keep" | "request_next" | "finish" | (string & {});
  /** Your own text, echoed in what comes of it. */
  readonly client_ref?: string | null;
}

/** The value of a record by its topic (your installation may have put a prefix before it); null erases. */
export interface Values {
  readonly "sms.received.v1": SmsReceived;
  readonly "sms.rejected.v1": SmsRejected;
  readonly "sms.watch-ended.v1": WatchEnded;
  readonly "sms.watches.v1": Watch | null;
}
