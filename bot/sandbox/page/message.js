// One line of a channel or thread: a message, a reply only its asker sees, or a word from the page itself.
import { drawBody, sentence } from './blocks.js';
import { dateNode, fullTime, messageTime } from './dates.js';
import { h, plural, svg } from './dom.js';
import { textNodes } from './emoji.js';
import { preview } from './mrkdwn.js';
import { isBroadcast, isReply, pings } from './world.js';

function pulse() {
  return svg('svg', { viewBox: '0 0 36 36', 'aria-hidden': 'true' },
    svg('path', { d: 'M7 19h5l3.5-8 4.5 15 3.5-7h5.5', fill: 'none', stroke: 'currentColor', 'stroke-width': 2.8, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' }));
}

export function avatar(user, world, small = false) {
  const name = world.names.user(user);
  const app = user === world.bot.user_id;
  const hue = [...String(user)].reduce((sum, sign) => (sum * 31 + sign.codePointAt(0)) % 6, 0);
  return h('span', { class: `avatar ${app ? 'app' : `hue-${hue}`}${small ? ' small' : ''}`, 'aria-hidden': 'true' },
    app ? pulse() : name.replace(/^@/, '').slice(0, 1).toUpperCase());
}

function head(item, world) {
  const { user } = item;
  const app = user === world.bot.user_id;
  return h('div', { class: 'head' },
    h('span', { class: 'author' }, item.author ?? world.names.user(user)),
    (app || item.author) && h('span', { class: 'badge' }, 'APP'),
    h('time', { class: 'time', datetime: new Date(item.at * 1000).toISOString(), title: fullTime(item.at) }, messageTime(item.at)));
}

const TOOLS = {
  thread: 'M3 4h14v9h-7l-4 3.5V13H3z',
  source: 'M7 5l-4 5 4 5M13 5l4 5-4 5',
  remove: 'M4 6h12M8 6V4h4v2M5.5 6l.8 10.5h7.4L14.5 6M8.5 9v5M11.5 9v5',
  dismiss: 'M5 5l10 10M15 5L5 15',
};

function toolbar(item, actions) {
  const tool = (name, label, run) => h('button', { type: 'button', class: 'tool', 'aria-label': label, title: label, dataset: { tool: name }, onclick: run },
    svg('svg', { viewBox: '0 0 20 20', 'aria-hidden': 'true' }, svg('path', { d: TOOLS[name] })));
  return h('div', { class: 'toolbar', role: 'group', 'aria-label': 'Message actions' },
    item.kind === 'message' && actions.openThread && tool('thread', 'Reply in thread', () => actions.openThread(item.message)),
    item.kind !== 'notice' && tool('source', 'Show what was sent', () => actions.showSource(item.message)),
    item.kind === 'message' && tool('remove', 'Delete (as a person would)', () => actions.remove(item.message)),
    item.kind === 'notice' && tool('dismiss', 'Dismiss', () => actions.dismiss(item)));
}

/** "3 replies  Last reply 2 minutes ago", or nothing for a message without a thread. */
export function threadSummary(item, world, actions) {
  if (item.kind !== 'message' || isReply(item.message) || !actions.openThread) return null;
  const replies = world.replies(item.message.channel, item.message.ts);
  if (!replies.length) return null;
  const users = [...new Set(replies.map((reply) => reply.user))].slice(0, 4);
  return h('button', { type: 'button', class: 'summary', onclick: () => actions.openThread(item.message) },
    users.map((user) => avatar(user, world, true)),
    h('span', { class: 'summary-count' }, plural(replies.length, 'reply', 'replies')),
    h('span', { class: 'summary-last' }, 'Last reply ', dateNode(Number(replies.at(-1).ts), '{ago}')),
    h('span', { class: 'summary-open', 'aria-hidden': 'true' }, 'View thread ›'));
}

function aboveLine(item, world, actions) {
  if (item.kind === 'ephemeral' || item.kind === 'notice') return h('p', { class: 'above' }, h('span', { class: 'eye', 'aria-hidden': 'true' }), 'Only visible to you');
  if (!isBroadcast(item.message)) return null;
  if (!actions.openThread) return h('p', { class: 'above' }, `Also sent to #${world.names.channel(item.message.channel)}`);
  const root = world.channels.get(item.message.channel).messages.get(item.message.thread_ts);
  return h('p', { class: 'above' }, 'replied to a thread: ',
    h('button', { type: 'button', class: 'link-button', onclick: () => actions.openThread(root ?? { ...item.message, ts: item.message.thread_ts }) },
      root ? textNodes(preview(sentence(root), world.names)) : 'a message that is gone'));
}

/** The parts of an item's <li>, drawn anew each time it changes. */
export function drawItem(item, world, actions) {
  const { message } = item;
  const context = { names: world.names, act: (press) => actions.act(item, press) };
  return [
    aboveLine(item, world, actions),
    h('div', { class: 'row' },
      h('div', { class: 'gutter' },
        avatar(item.user, world),
        h('time', { class: 'gutter-time', 'aria-hidden': 'true', title: fullTime(item.at) }, messageTime(item.at))),
      h('div', { class: 'content' },
        head(item, world),
        message.command && h('p', { class: 'typed' }, h('code', {}, message.command)),
        h('div', { class: 'body' }, drawBody(message, context),
          message.edited && h('span', { class: 'edited', title: `Edited ${fullTime(Number(message.edited.ts) || item.at)}` }, '(edited)')),
        h('p', { class: 'failed', role: 'alert', hidden: true }),
        h('div', { class: 'summary-place' }, threadSummary(item, world, actions)))),
    toolbar(item, actions),
  ].filter(Boolean);
}

export function itemClasses(item, world) {
  const marks = ['message', item.kind];
  if (item.kind === 'message' && item.message.user !== world.me && pings(item.message, world.me)) marks.push('pings');
  if (item.kind === 'message' && isBroadcast(item.message)) marks.push('broadcast');
  if (item.message.subtype === 'tombstone') marks.push('tombstone');
  if (item.threadRoot) marks.push('thread-root');
  return marks;
}
