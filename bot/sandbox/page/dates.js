// Times as Slack shows them, in the reader's zone: message times, day dividers and the tokens of <!date^…>.
// https://docs.slack.dev/messaging/formatting-message-text/#date-formatting
import { h } from './dom.js';

const DAY = 86_400_000;
// A formatter costs a hundred times what it formats, and a channel has thousands of times: each is made once.
const formatters = new Map();
function part(date, options, locale = 'en') {
  const key = `${locale} ${JSON.stringify(options)}`;
  if (!formatters.has(key)) formatters.set(key, new Intl.DateTimeFormat(locale, options));
  return formatters.get(key).format(date);
}
const ordinal = (n) => n + (n % 100 >= 11 && n % 100 <= 13 ? 'th' : ['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

// The reader's own habit (12 or 24 hours) decides; words stay English like the rest of the page.
const clock = (date, seconds) =>
  part(date, { hour: 'numeric', minute: '2-digit', ...(seconds && { second: '2-digit' }) }, navigator.language);

function pretty(date, otherwise) {
  const days = Math.round((midnight(date) - midnight(new Date())) / DAY);
  return { '-1': 'yesterday', 0: 'today', 1: 'tomorrow' }[days] ?? otherwise(date);
}

const plain = (date) => `${part(date, { month: 'long' })} ${ordinal(date.getDate())}, ${date.getFullYear()}`;
const short = (date) => part(date, { month: 'short', day: 'numeric', year: 'numeric' });
const long = (date) => `${part(date, { weekday: 'long' })}, ${plain(date)}`;
const numeric = (date) =>
  [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((n) => String(n).padStart(2, '0')).join('-');

export function ago(date, now = Date.now()) {
  const seconds = Math.round((now - date.getTime()) / 1000);
  const size = Math.abs(seconds);
  const [n, unit] =
    size < 60 ? [size, 'second'] : size < 3600 ? [Math.round(size / 60), 'minute']
      : size < 86_400 ? [Math.round(size / 3600), 'hour'] : [Math.round(size / 86_400), 'day'];
  if (size < 5) return 'just now';
  const words = `${n} ${unit}${n === 1 ? '' : 's'}`;
  return seconds >= 0 ? `${words} ago` : `in ${words}`;
}

const TOKENS = {
  date_num: numeric,
  date: plain,
  date_short: short,
  date_long: long,
  date_pretty: (date) => pretty(date, plain),
  date_short_pretty: (date) => pretty(date, short),
  date_long_pretty: (date) => pretty(date, long),
  day_divider_pretty: (date) => pretty(date, long),
  time: (date) => clock(date, false),
  time_secs: (date) => clock(date, true),
  ago,
};

/** The words of a Slack date, or null when Slack would fall back (no valid time, or a format without a known token). */
export function formatDate(seconds, format) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime()) || !Number.isFinite(Number(seconds))) return null;
  let known = 0;
  const text = format.replace(/\{(\w+)\}/g, (whole, token) => {
    if (!Object.hasOwn(TOKENS, token)) return whole;
    known += 1;
    return TOKENS[token](date);
  });
  if (!known) return null;
  return format.startsWith('{') ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

/** A <time> for a Slack date; those with {ago} are renewed by `refreshAges`. */
export function dateNode(seconds, format, fallback) {
  const text = formatDate(seconds, format);
  if (text === null) return document.createTextNode(fallback ?? '');
  const date = new Date(Number(seconds) * 1000);
  const ages = /\{ago\}|pretty/.test(format);
  return h('time', {
    class: 'date', datetime: date.toISOString(), title: `${long(date)} at ${clock(date, true)}`,
    dataset: ages ? { at: seconds, format } : {},
  }, text);
}

export function refreshAges(root = document) {
  for (const element of root.querySelectorAll('time[data-format]')) {
    const text = formatDate(element.dataset.at, element.dataset.format);
    if (text !== element.textContent) element.textContent = text;
  }
}

export const messageTime = (seconds) => clock(new Date(seconds * 1000), false);
export const fullTime = (seconds) => {
  const date = new Date(seconds * 1000);
  return `${long(date)} at ${clock(date, true)}`;
};
export const dayKey = (seconds) => numeric(new Date(seconds * 1000));
export function dayName(seconds) {
  const date = new Date(seconds * 1000);
  const text = pretty(date, (other) => `${part(other, { weekday: 'long' })}, ${part(other, { month: 'long' })} ${ordinal(other.getDate())}`);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
