// What the page knows: the local Slack's channels, messages and private replies, as last told. No DOM in here.

const MENTION = /<!(?:here|channel|everyone)[|>]|<!subteam\^/;

/** Whether a message would ping `me`: mentions count where Slack reads them, not where their characters are literal. */
export function pings(message, me) {
  const inText = (words) => MENTION.test(words) || words.includes(`<@${me}>`) || words.includes(`<@${me}|`);
  const walk = (thing) => {
    if (Array.isArray(thing)) return thing.some(walk);
    if (!thing || typeof thing !== 'object') return false;
    if (thing.type === 'broadcast' || thing.type === 'usergroup' || (thing.type === 'user' && thing.user_id === me)) return true;
    if (thing.type === 'mrkdwn') return inText(String(thing.text));
    return Object.values(thing).some(walk);
  };
  return inText(String(message.text ?? '')) || walk(message.blocks) || walk(message.attachments);
}

export const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;
export const isBroadcast = (message) => message.subtype === 'thread_broadcast';
export const inChannel = (message) => !isReply(message) || isBroadcast(message);

/** Seconds since the epoch, from a Slack ts, a number or an ISO date. */
export function seconds(value) {
  const number = Number(value);
  if (Number.isFinite(number)) return number;
  const parsed = Date.parse(value);
  return Number.isNaN(parsed) ? Date.now() / 1000 : parsed / 1000;
}

const content = (message) => JSON.stringify([message.text, message.blocks, message.attachments]);

export class World {
  constructor() {
    this.team = { id: '', name: 'Sandbox' };
    this.bot = {};
    this.me = null;
    this.users = new Map();
    this.channels = new Map(); // id → {id, name, messages, replies, notified, pinged, quiet, read}
    this.privates = new Map(); // id → ephemeral
    this.homes = new Map(); // user → what the app published for them
    this.views = new Map(); // id → modal that somebody has before them
    this.notices = [];
    this.connected = null;
    this.refusing = null;
    this.names = {
      me: () => this.me,
      user: (id) => this.users.get(id) ?? id,
      channel: (id) => this.channels.get(id)?.name ?? id,
    };
  }

  load(state) {
    this.team = state.team ?? this.team;
    this.bot = state.bot ?? {};
    this.users = new Map((state.users ?? []).map(({ id, name }) => [id, name]));
    this.users.set('USLACKBOT', 'Slackbot');
    if (this.bot.user_id) this.users.set(this.bot.user_id, this.bot.name);
    if (!this.users.has(this.me)) this.me = state.me;
    const before = this.channels;
    this.channels = new Map((state.channels ?? []).map(({ id, name }) => [id, this.channel(id, name, before.get(id))]));
    for (const [id, messages] of Object.entries(state.messages ?? {})) {
      for (const message of messages) this.put({ channel: id, ...message });
    }
    // What was there before the page was opened counts as seen; a channel that turns up later starts unseen.
    for (const channel of this.channels.values()) if (channel.read === null) this.markRead(channel.id);
    this.privates = new Map((state.ephemerals ?? []).map((one) => [one.id, one]));
    for (const one of this.privates.values()) if (one.replaces && one.replaces !== one.id) this.privates.delete(one.replaces);
    this.homes = new Map(Object.entries(state.homes ?? {}));
    this.views = new Map((state.views ?? []).map((view) => [view.id, view]));
    this.status(state);
  }

  channel(id, name, before) {
    return {
      id, name, messages: new Map(), replies: new Map(), notified: new Set(), pinged: new Set(),
      quiet: 0, read: before?.read ?? null,
    };
  }

  status({ connected, refusing }) {
    if (connected !== undefined) this.connected = connected;
    if (refusing !== undefined) this.refusing = refusing;
  }

  /** Inserts or replaces a message; answers {message, fresh}. */
  put(told) {
    const message = { user: told.bot_id ? this.bot.user_id : undefined, ...told };
    if (!this.channels.has(message.channel)) this.channels.set(message.channel, this.channel(message.channel, message.channel, { read: 0 }));
    const channel = this.channels.get(message.channel);
    const old = channel.messages.get(message.ts);
    channel.messages.set(message.ts, message);
    if (isReply(message)) {
      if (!channel.replies.has(message.thread_ts)) channel.replies.set(message.thread_ts, new Set());
      channel.replies.get(message.thread_ts).add(message.ts);
    }
    const changed = Boolean(old) && content(old) !== content(message);
    if (!old) this.notify(channel, message);
    // An edit, or a reply that only the thread shows, changes the channel without disturbing anyone.
    if (changed || (!old && (message.edited || !inChannel(message)))) channel.quiet += 1;
    return { message, fresh: !old };
  }

  notify(channel, message) {
    if (!inChannel(message) || message.user === this.me || message.subtype === 'tombstone') return;
    channel.notified.add(message.ts);
    if (pings(message, this.me)) channel.pinged.add(message.ts);
  }

  /** Looks through another person's eyes: whom a message notifies depends on who looks. */
  become(me) {
    this.me = me;
    for (const channel of this.channels.values()) {
      channel.notified.clear();
      channel.pinged.clear();
      for (const message of channel.messages.values()) this.notify(channel, message);
    }
  }

  remove(channelId, ts) {
    const channel = this.channels.get(channelId);
    const message = channel?.messages.get(ts);
    if (!message) return null;
    channel.messages.delete(ts);
    if (isReply(message)) channel.replies.get(message.thread_ts)?.delete(ts);
    return message;
  }

  /** The replies of a thread, oldest first. */
  replies(channelId, ts) {
    const channel = this.channels.get(channelId);
    return [...(channel?.replies.get(ts) ?? [])].map((one) => channel.messages.get(one)).filter(Boolean)
      .sort((a, b) => Number(a.ts) - Number(b.ts));
  }

  /** How many messages of a channel have not been seen, and how many of them ping. */
  unread(channel) {
    const newer = (set) => [...set].filter((ts) => Number(ts) > channel.read).length;
    return { count: newer(channel.notified), pings: newer(channel.pinged) };
  }

  markRead(channelId) {
    const channel = this.channels.get(channelId);
    if (!channel) return;
    // What comes later is unread, whatever this machine's clock says: the last known message is the measure.
    channel.read = Math.max(0, ...[...channel.messages.keys()].map(Number));
  }
}
