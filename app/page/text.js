// Texts, numbers and times. Pure: nothing here knows the page.

import * as words from "./words.js";

const DIGITS = /[^0-9]/g;
export const digits = (text) => (text || "").replace(DIGITS, "");

// Control characters become visible; overrides of the direction, which make a code read backwards, become words.
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202d\u202e]/g;
export const visible = (text) =>
  text.replace(UNSEEN, (char) => {
    const code = char.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code > 0x2000) return code === 0x202e ? "⟨RLO⟩" : "⟨LRO⟩";
    return code === 0x7f ? "␡" : "�";
  });

const DOTS = /[\p{L}\p{N}\p{M}\p{S}\p{P}]/gu;
export const masked = (text) => text.replace(DOTS, "•");

// 482913 reads better as 482 913. What is copied is the code itself.
export const spaced = (code) => (/^(\d{6}|\d{9})$/.test(code) ? code.replace(/(\d{3})(?=\d)/g, "$1 ") : /^\d{8}$/.test(code) ? `${code.slice(0, 4)} ${code.slice(4)}` : code);

export function age(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return words.NOW;
  if (seconds < 60) return words.SECONDS(seconds);
  if (seconds < 3600) return words.MINUTES(Math.floor(seconds / 60));
  if (seconds < 86400) return words.HOURS(Math.floor(seconds / 3600));
  return words.DAYS(Math.floor(seconds / 86400));
}

const two = (n) => String(n).padStart(2, "0");
export function clock(ms, { seconds = false, tenths = false } = {}) {
  const at = new Date(ms);
  const rest = seconds || tenths ? `:${two(at.getSeconds())}` : "";
  return `${two(at.getHours())}:${two(at.getMinutes())}${rest}${tenths ? `.${Math.floor(at.getMilliseconds() / 100)}` : ""}`;
}
export function exact(ms) {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock(ms, { seconds: true })}`;
}
export function left(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

// The default alphabet of GSM 03.38, and what takes two places in it.
const GSM = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
const GSM_TWO = new Set("\f^{}\\[~]|€");
export function segments(text) {
  let places = 0;
  for (const char of text) {
    if (!GSM.has(char) && !GSM_TWO.has(char)) return { alphabet: "ucs", count: parts(text.length, 70, 67) };
    places += GSM_TWO.has(char) ? 2 : 1;
  }
  return { alphabet: "gsm", count: parts(places, 160, 153) };
}
const parts = (size, one, each) => (size <= one ? 1 : Math.ceil(size / each));

// The last line of an origin-bound code: @example.com #123456
export function bound(text) {
  const found = /(?:^|\n)@(\S+) #(\S+)\s*$/.exec(text);
  return found ? { origin: found[1], code: found[2] } : null;
}

export function bytesOf(base64) {
  const binary = atob(base64);
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
export function hex(bytes, most = 4096) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, most); at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const shown = row.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ").padEnd(47)}  ${shown}`);
  }
  return lines.join("\n");
}

// What waits for the next SMS of the same order or number. Only digits, names and UUIDs get into a command.
export function waitCommand(sms) {
  const to = digits(sms.recipient || sms.recipient_raw);
  if (!sms.order_id || sms.order_kind !== "activation") return to ? `smsbus wait --to ${to}` : null;
  const order = /^\w+$/.test(sms.order_id) ? `${sms.account} ${sms.order_id}` : `--watch ${sms.watch_id}`;
  return `smsbus wait ${order} --sequence ${(sms.sequence ?? -1) + 1}`;
}
