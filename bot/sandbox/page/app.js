// Wires the page: the local Slack's feed into the world, the world into the two lists, and people's doings back.
import { Feed, post } from './api.js';
import { sentence } from './blocks.js';
import { Composer } from './composer.js';
import { refreshAges } from './dates.js';
import { confirmPress, showSource } from './dialogs.js';
import { append, byId, h, plural, safeAddress, setText } from './dom.js';
import { MessageList } from './list.js';
import { preview } from './mrkdwn.js';
import { Panes } from './panes.js';
import { watchSites } from './sites.js';
import { slackCard } from './slackcard.js';
import { followStory } from './story.js';
import { HomeTab, Modal } from './views.js';
import { inChannel, isReply, seconds, World } from './world.js';

const world = new World();
let shown = null; // id of the channel that is looked at
let thread = null; // {channel, ts} of the open thread
let notices = 0;

const asItem = (message) => ({ key: message.ts, kind: 'message', at: Number(message.ts), user: message.user, message });
const inThread = (message) => ({ ...asItem(message), threadRoot: !isReply(message) });
// A broadcast's line quotes its root, so an edit of the root is a change of the broadcast too.
const inList = (message) => {
  const root = isReply(message) ? world.channels.get(message.channel).messages.get(message.thread_ts) : null;
  return { ...asItem(message), root: root && sentence(root) };
};
const asPrivate = (one) => ({ key: `private ${one.id}`, kind: 'ephemeral', at: seconds(one.at), user: world.bot.user_id, message: one });
const mine = (one) => one.user === world.me;

const actions = {
  act: press,
  showSource,
  remove: (message) => post('/page/delete', { channel: message.channel, ts: message.ts }),
  dismiss: (item) => {
    world.notices = world.notices.filter((one) => one.key !== item.key);
    channelList.remove(item.key);
    threadList.remove(item.key);
  },
};
const channelList = new MessageList({ list: byId('messages'), scroll: byId('channel-scroll'), world, actions: { ...actions, openThread } });
const threadList = new MessageList({ list: byId('thread-messages'), scroll: byId('thread-scroll'), world, actions });
const panes = new Panes({ closeThread });
const home = new HomeTab({ world, press });
const modal = new Modal({ world, press });
const drawSlackCard = slackCard(byId('slack-card'));

// ---- what people do

async function press(item, { element, block, button }) {
  if (element.confirm && !(await confirmPress(element.confirm, world.names))) return;
  const address = element.url && safeAddress(element.url);
  if (address) window.open(address, '_blank', 'noopener,noreferrer');
  const failed = button.closest('li.message, .view')?.querySelector('.failed');
  if (failed) failed.hidden = true;
  button.classList.add('busy');
  button.setAttribute('aria-busy', 'true');
  const [path, place] = placeOf(item);
  const answer = await post(path, { user: world.me, ...place, action_id: element.action_id, block_id: block.block_id, value: element.value });
  button.classList.remove('busy');
  button.removeAttribute('aria-busy');
  if (answer.ok === false && failed) {
    failed.hidden = false;
    setText(failed, `⚠ This app did not take the press: ${answer.error}`);
  }
}

/** Where a press goes: `view` is a modal's id, and null on the Home tab. */
function placeOf({ kind, view, message }) {
  if (kind === 'view') return ['/page/view-action', view ? { view } : {}];
  return ['/page/action', { channel: message.channel, ...(kind === 'ephemeral' ? { ephemeral: message.id } : { message_ts: message.ts }) }];
}

function notice(text, command, inThread = false) {
  notices += 1;
  const item = {
    key: `notice ${notices}`, kind: 'notice', at: Date.now() / 1000, user: 'USLACKBOT', author: 'Slackbot',
    channel: shown, thread: inThread ? thread?.ts : null, message: { text, command },
  };
  world.notices.push(item);
  (inThread ? threadList : channelList).put(item);
  announce(item.author, text);
}

async function send(text, inThread) {
  const command = /^\/\S+/.exec(text)?.[0];
  if (command && inThread) {
    notice(`\`${command}\` is not supported in threads. Sorry!`, text, true);
    return true;
  }
  if (!command) {
    const answer = await post('/page/say', { channel: shown, user: world.me, text, ...(inThread && { thread_ts: thread.ts }) });
    if (answer.ok === false) notice(`Your message was not sent: ${answer.error}`, text, inThread);
    return answer.ok !== false;
  }
  const answer = await post('/page/command', { channel: shown, user: world.me, text });
  if (answer.ok === false && answer.error === 'no_such_command') {
    notice(`\`${command}\` is not a valid command. In Slack, all messages that start with the “/” character are interpreted as commands.`, text);
  } else if (answer.ok === false) notice(`${command} failed with the error "${answer.error}"`, text);
  return true;
}

const composer = new Composer({ form: byId('composer'), id: 'composer-text', label: 'Message', memory: 'sandbox-sent', examples: true, send: (text) => send(text, false) });
new Composer({ form: byId('thread-composer'), id: 'thread-text', label: 'Reply…', memory: 'sandbox-replied', send: (text) => send(text, true) });
panes.focusComposer = (sign) => {
  if (home.open) choose(shown);
  if (sign && !composer.input.value) composer.fill(sign);
  composer.focus();
};

byId('newer').addEventListener('click', () => { channelList.toEnd(); composer.focus(); });
channelList.onUnseen = (count) => {
  byId('newer').hidden = !count;
  setText(byId('newer'), count ? `${plural(count, 'new message')} ↓` : '');
};
byId('me').addEventListener('change', (event) => {
  world.become(event.target.value);
  showAll();
  if (home.open) home.ask();
});
byId('home').addEventListener('click', () => {
  leaveThread();
  home.show();
  panes.show('channel');
  drawChannels();
});
byId('thread-close').addEventListener('click', closeThread);
byId('counter').addEventListener('click', () => {
  const why = byId('counter-why');
  why.hidden = !why.hidden;
  byId('counter').setAttribute('aria-expanded', String(!why.hidden));
});
byId('skip-sites').addEventListener('click', (event) => {
  event.preventDefault();
  panes.show('sites');
  byId('sites-pane').querySelector('select').focus();
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) drawChannels(); });

// ---- what is shown

function openThread(message) {
  const ts = isReply(message) ? message.thread_ts : message.ts;
  thread = { channel: message.channel, ts, from: document.activeElement?.closest('li')?.dataset.key };
  threadList.clear();
  showThread();
  panes.openThread();
}

function leaveThread() {
  if (thread) panes.closedThread();
  thread = null;
}

function closeThread() {
  if (!thread) return;
  const { from } = thread;
  leaveThread();
  const line = channelList.byKey.get(from)?.node;
  if (line) line.focus({ preventScroll: true }); else composer.focus();
}

function showThread() {
  if (!thread) return;
  const channel = world.channels.get(thread.channel);
  const root = channel?.messages.get(thread.ts);
  const items = [root, ...world.replies(thread.channel, thread.ts)].filter(Boolean).map(inThread);
  const privates = [...world.privates.values()].filter((one) => one.thread_ts === thread.ts && mine(one)).map(asPrivate);
  threadList.sync([...items, ...privates, ...world.notices.filter((one) => one.thread === thread.ts)]);
  setText(byId('thread-channel'), `#${channel?.name ?? thread.channel}`);
}

function showChannel() {
  const channel = world.channels.get(shown);
  if (!channel) return;
  const items = [...channel.messages.values()].filter(inChannel).map(inList);
  const privates = [...world.privates.values()].filter((one) => one.channel === shown && !one.thread_ts && mine(one)).map(asPrivate);
  const own = world.notices.filter((one) => one.channel === shown && !one.thread);
  channelList.sync([...items, ...privates, ...own].sort((a, b) => a.at - b.at));
  for (const root of channel.replies.keys()) channelList.summary(root);
  setText(byId('channel-name'), `#${channel.name}`);
  const label = `Message #${channel.name}`;
  composer.input.placeholder = label;
  composer.input.setAttribute('aria-label', label);
  setText(byId('channel-empty'), `This is the very beginning of #${channel.name}. The bot speaks when something changes.`);
  drawEmpty();
}

const drawEmpty = () => { byId('channel-empty').hidden = channelList.entries.length > 0; };

function choose(id) {
  if (shown !== id) channelList.clear();
  shown = id;
  leaveThread(); // where there is little room it stands before what is chosen
  home.hide();
  showChannel();
  drawChannels();
  channelList.toEnd();
}

function drawChannels() {
  if (!document.hidden && !home.open) world.markRead(shown);
  const focused = document.activeElement?.dataset?.channel;
  byId('channels').replaceChildren(...[...world.channels.values()].map((channel) => {
    const { count, pings } = world.unread(channel);
    const button = h('button', {
      type: 'button', class: `channel${count ? ' unread' : ''}`, dataset: { channel: channel.id },
      'aria-current': channel.id === shown && !home.open ? 'page' : null, onclick: () => { choose(channel.id); panes.show('channel'); },
    },
    h('span', { class: 'hash', 'aria-hidden': 'true' }, '#'), h('span', { class: 'channel-label' }, channel.name),
    count > 0 && h('span', { class: pings ? 'count pinged' : 'count', title: `${plural(count, 'unread message')}` }, String(count), h('span', { class: 'sr' }, ' unread')));
    return h('li', {}, button);
  }));
  if (focused) byId('channels').querySelector(`[data-channel="${CSS.escape(focused)}"]`)?.focus();
  if (home.open) byId('home').setAttribute('aria-current', 'page'); else byId('home').removeAttribute('aria-current');
  drawCounter();
}

function drawCounter() {
  const channel = world.channels.get(shown);
  if (!channel) return;
  const counter = byId('counter');
  counter.replaceChildren();
  append(counter, [
    h('span', { class: 'bell', 'aria-hidden': 'true' }), h('strong', {}, String(channel.notified.size)), ` ${channel.notified.size === 1 ? 'notification' : 'notifications'}`,
    channel.pinged.size > 0 && h('span', { class: 'counter-more' }, ` · ${plural(channel.pinged.size, 'mention')}`),
    h('span', { class: 'counter-more' }, ` · ${plural(channel.quiet, 'quiet update')}`),
    h('span', { class: 'why', 'aria-hidden': 'true' })]);
  const unread = [...world.channels.values()].reduce((sum, one) => sum + world.unread(one).count, 0);
  document.title = `${unread ? `(${unread}) ` : ''}${home.open ? world.bot.name : `#${channel.name}`} · ${world.team.name}`;
}

function drawStatus() {
  setText(byId('team'), world.team.name);
  setText(byId('app-name'), world.bot.name ?? 'App');
  byId('app-dot').className = `dot ${world.connected ? 'up' : 'off'}`;
  setText(byId('app-state'), world.connected ? 'connected' : 'not connected');
  byId('refusing').hidden = !world.refusing;
  setText(byId('refusing'), world.refusing ? `Slack refuses everything the bot asks (${world.refusing}). What it has to say waits until you let it.` : '');
  drawSlackCard(world);
}

function showAll() {
  byId('me').replaceChildren(...[...world.users].filter(([id]) => ![world.bot.user_id, 'USLACKBOT'].includes(id)).map(([id, name]) => h('option', { value: id }, name)));
  byId('me').value = world.me;
  drawStatus();
  showChannel();
  showThread();
  home.draw();
  modal.sync();
  drawChannels();
}

let announced = 0;
function announce(who, text) {
  // A burst is told as its last message: a screen reader that reads sixty lines is no help.
  clearTimeout(announced);
  announced = setTimeout(() => setText(byId('live'), `${who}: ${preview(text, world.names, 200)}`), 150);
}

// ---- what the local Slack tells

const EVENTS = {
  message: ({ message: told }) => {
    const { fresh, message } = world.put(told);
    if (message.channel === shown) {
      if (inChannel(message)) channelList.put(inList(message));
      if (isReply(message)) channelList.summary(message.thread_ts);
      else for (const reply of world.replies(shown, message.ts)) if (inChannel(reply)) channelList.put(inList(reply), { quietly: true });
      drawEmpty();
      if (fresh && message.user !== world.me) announce(world.names.user(message.user), sentence(message));
    }
    if (thread && message.channel === thread.channel && (message.ts === thread.ts || message.thread_ts === thread.ts)) threadList.put(inThread(message));
    drawChannels();
  },
  deleted: ({ channel, ts }) => {
    const message = world.remove(channel, ts);
    if (!message) return;
    if (channel === shown) {
      channelList.remove(ts);
      if (isReply(message)) channelList.summary(message.thread_ts);
      drawEmpty();
    }
    if (thread?.channel === channel) threadList.remove(ts);
    drawChannels();
  },
  ephemeral: ({ ephemeral }) => {
    if (ephemeral.replaces && ephemeral.replaces !== ephemeral.id) EVENTS.ephemeral_deleted({ id: ephemeral.replaces });
    world.privates.set(ephemeral.id, ephemeral);
    if (ephemeral.channel !== shown || !mine(ephemeral)) return;
    if (!ephemeral.thread_ts) channelList.put(asPrivate(ephemeral));
    else if (ephemeral.thread_ts === thread?.ts) threadList.put(asPrivate(ephemeral));
    drawEmpty();
    announce('Only visible to you', sentence(ephemeral));
  },
  ephemeral_deleted: ({ id }) => {
    world.privates.delete(id);
    channelList.remove(`private ${id}`);
    threadList.remove(`private ${id}`);
    drawEmpty();
  },
  home: ({ user, view }) => {
    world.homes.set(user, view);
    if (user === world.me) home.draw();
  },
  view: ({ view }) => {
    world.views.set(view.id, view);
    modal.sync();
  },
  view_closed: ({ id }) => {
    world.views.delete(id);
    modal.sync();
  },
  status: (status) => {
    world.status(status);
    drawStatus();
  },
};

new Feed({
  stream: '/page/stream',
  state: '/page/state',
  onState: (state) => {
    world.load(state);
    const first = !world.channels.has(shown);
    if (first) shown = world.channels.keys().next().value ?? null;
    if (first && shown) choose(shown);
    showAll();
  },
  onEvent: (event) => EVENTS[event.type]?.(event),
  onLink: (up) => {
    byId('gone').hidden = up;
    setText(byId('gone'), up ? '' : 'The sandbox does not answer. What you see is what was last known; trying again…');
    document.body.classList.toggle('offline', !up);
  },
}).start();
watchSites();
followStory();
setInterval(() => refreshAges(), 20_000);
