// Fastify with kafkajs and a group commit of its own, the whole job: one batch in flight, what arrives meanwhile is the
// next. The same fields, key and headers as smsbus has; the code is what a short regular expression finds.
// `node server.js PORT KAFKA TOPIC TOKEN`

import { createHash } from "node:crypto";
import fastify from "fastify";
import { Kafka, Partitioners, logLevel } from "kafkajs";

const [port, kafka, topic, token] = process.argv.slice(2);

const producer = new Kafka({ brokers: kafka.split(","), logLevel: logLevel.WARN }).producer({
  idempotent: true, // which asks for acks from all
  createPartitioner: Partitioners.DefaultPartitioner,
});

let waiting = [];
let sending = false;

function commit(message) {
  return new Promise((resolve, reject) => {
    waiting.push({ message, resolve, reject });
    if (!sending) send();
  });
}

async function send() {
  sending = true;
  while (waiting.length) {
    const batch = waiting;
    waiting = [];
    try {
      await producer.send({ topic, acks: -1, messages: batch.map((one) => one.message) });
      for (const one of batch) one.resolve();
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
  }
  sending = false;
}

const text = { type: ["string", "null"] };
const schema = {
  body: {
    type: "object",
    required: ["text"],
    properties: { userId: text, app: text, from: text, to: text, text: { type: "string" }, time: text },
  },
};

const e164 = (raw) => /^\+?([1-9][0-9]{6,14})$/.exec(raw ?? "")?.[1] ?? null;

function smsReceived(callback) {
  const parts = ["userId", "app", "from", "to", "text", "time"].map((name) => callback[name] ?? null);
  const hash = createHash("sha1").update(JSON.stringify(parts)).digest("hex");
  const recipient = e164(callback.to);
  const sender = e164(callback.from);
  const code = /\b(?:\d{3}-\d{3}|\d{4,8})\b/.exec(callback.text)?.[0] ?? null;
  const stated = new Date(callback.time ?? NaN);
  const time = Number.isNaN(stated.getTime()) ? null : stated.toISOString();
  return {
    id: `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`,
    provider: "pingme",
    account: "bench",
    received_via: "callback",
    order_kind: null,
    order_id: null,
    watch_id: null,
    client_ref: null,
    sequence: null,
    service: callback.app ?? null,
    message_type: "sms",
    recipient: recipient && `+${recipient}`,
    recipient_raw: callback.to ?? null,
    sender: sender ? `+${sender}` : (callback.from ?? null),
    sender_raw: callback.from ?? null,
    sender_kind: sender ? "phone" : callback.from ? "alphanumeric" : null,
    text: callback.text,
    code,
    code_source: code && "extracted",
    provider_time: time,
    provider_time_raw: callback.time ?? null,
    provider_time_basis: time && "stated",
    observed_at: new Date().toISOString(),
    freshness: "live",
    provider_fields: null,
  };
}

const headers = (sms) => ({
  ce_specversion: "1.0",
  ce_id: sms.id,
  ce_source: "/smsbus/pingme/bench",
  ce_type: "smsbus.sms.received.v1",
  ce_time: sms.observed_at,
  ce_dataschema: "urn:smsbus:schema:sms.received.v1",
  "content-type": "application/json",
});

const app = fastify();
app.post("/v1/pingme/:token", { schema }, async (request, reply) => {
  if (request.params.token !== token) return reply.code(404).send();
  const sms = smsReceived(request.body);
  await commit({ key: (sms.recipient_raw ?? "").replace(/\D/g, ""), value: JSON.stringify(sms), headers: headers(sms) });
  return { status: "accepted", id: sms.id };
});

await producer.connect();
await app.listen({ host: "127.0.0.1", port: Number(port) });
