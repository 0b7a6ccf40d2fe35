// Slack's mrkdwn → DOM nodes. It also shows what must not happen: an unescaped <!here> lights up here as it would there.
// https://docs.slack.dev/messaging/formatting-message-text/
import { dateNode } from './dates.js';
import { h, link } from './dom.js';
import { emojiNode, textNodes } from './emoji.js';

const ENTITIES = { '&amp;': '&', '&lt;': '<', '&gt;': '>' };
const unescape = (text) => text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);
const STYLES = { '*': 'strong', _: 'em', '~': 's' };
const WORD = /[\p{L}\p{N}]/u;
const BARE = /^https?:\/\/[^\s<>|]*[^\s<>|.,;:!?)\]'"*_~`]/i;

export const mention = (label, forMe, props = {}) => h('span', { class: forMe ? 'mention mine' : 'mention', ...props }, label);
export const broadcastNode = (range) => mention(`@${range}`, true, { dataset: { broadcast: range } });
export const userNode = (id, names) => mention(`@${names.user(id)}`, id === names.me(), { dataset: { user: id } });
export const groupNode = (id, label) => mention(label ?? `@${id}`, true, { dataset: { group: id } });
export const channelNode = (id, names, label) => h('span', { class: 'mention channel-link' }, `#${label || names.channel(id)}`);

/** What stands between < and >: a mention, a date or an address. */
function special(inside, names) {
  const bar = inside.indexOf('|');
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? null : unescape(inside.slice(bar + 1));
  if (/^@[UW][A-Z0-9]*$/.test(target)) return userNode(target.slice(1), names);
  if (/^#[CG]/.test(target)) return channelNode(target.slice(1), names, label);
  if (/^!(here|channel|everyone)$/.test(target)) return broadcastNode(target.slice(1));
  if (target.startsWith('!subteam^')) return groupNode(target.slice(9), label);
  if (target.startsWith('!date^')) {
    const [seconds, format = '', address] = target.slice(6).split('^');
    const node = dateNode(seconds, unescape(format), label);
    return address ? link(unescape(address), [node]) : node;
  }
  if (target.startsWith('!')) return label ?? `<${unescape(inside)}>`;
  const address = unescape(target);
  return link(address, textNodes(label || address.replace(/^mailto:/, '')));
}

function closing(text, from, sign) {
  for (let at = from + 1; at < text.length && text[at] !== '\n'; at += 1) {
    if (text[at] === '<') {
      const end = text.indexOf('>', at);
      if (end > 0) at = end;
    } else if (text[at] === sign && !/\s/.test(text[at - 1]) && !WORD.test(text[at + 1] ?? ' ')) return at;
  }
  return -1;
}

function inline(text, names, options, code = false) {
  const nodes = [];
  let plain = '';
  const flush = () => { if (plain) nodes.push(...textNodes(unescape(plain))); plain = ''; };
  for (let at = 0; at < text.length;) {
    const sign = text[at];
    const before = text[at - 1] ?? ' ';
    let match;
    if (sign === '<' && (match = /^<([^<>\n]+)>/.exec(text.slice(at)))) {
      flush();
      nodes.push(special(match[1], names));
      at += match[0].length;
    } else if (code) {
      plain += sign;
      at += 1;
    } else if (sign === '`' && (match = /^`([^`\n]+)`/.exec(text.slice(at)))) {
      flush();
      nodes.push(h('code', {}, inline(match[1], names, options, true)));
      at += match[0].length;
    } else if (sign === ':' && (match = /^:([a-z0-9_+'-]+(?:::skin-tone-\d)?):/.exec(text.slice(at)))) {
      flush();
      nodes.push(emojiNode(match[1]));
      at += match[0].length;
    } else if (STYLES[sign] && !WORD.test(before) && /\S/.test(text[at + 1] ?? ' ') && text[at + 1] !== sign && closing(text, at + 1, sign) > 0) {
      const end = closing(text, at + 1, sign);
      flush();
      nodes.push(h(STYLES[sign], {}, inline(text.slice(at + 1, end), names, options)));
      at = end + 1;
    } else if (text.startsWith('http', at) && !options.verbatim && !WORD.test(before) && (match = BARE.exec(unescape(text.slice(at))))) {
      // Slack makes links of bare addresses unless `verbatim` is set; whoever shows foreign text should see that here.
      flush();
      nodes.push(link(match[0], [match[0]]));
      at += escapedLength(text, at, match[0]);
    } else {
      plain += sign;
      at += 1;
    }
  }
  flush();
  return nodes;
}

/** How much of the escaped text stands for the given unescaped words. */
function escapedLength(text, from, words) {
  let end = from;
  for (let n = 0; n < words.length; n += 1) end += /^&(?:amp|lt|gt);/.exec(text.slice(end))?.[0].length ?? 1;
  return end - from;
}

function paragraphs(text, names, options) {
  const nodes = [];
  let lines = [];
  let quoted = null;
  const close = () => {
    if (!lines.length) return;
    const content = lines.flatMap((one, index) => [index ? h('br') : null, ...inline(one, names, options)]);
    nodes.push(quoted ? h('blockquote', {}, content) : h('span', { class: 'run' }, content));
    lines = [];
  };
  let rest = false;
  for (const one of text.split('\n')) {
    const match = /^(?:&gt;|>)(?:(?:&gt;|>){2})?/.exec(one);
    const quote = rest || match !== null;
    if (quote !== quoted) close();
    quoted = quote;
    lines.push(match && !rest ? one.slice(match[0].length).replace(/^ /, '') : one);
    if (match && match[0].replaceAll('&gt;', '>').length === 3) rest = true;
  }
  close();
  return nodes;
}

/** mrkdwn → nodes. `names` knows users and channels and who looks; `options.verbatim` is the text object's own. */
export function mrkdwn(text, names, options = {}) {
  return String(text).split(/```/g).reduce((nodes, piece, index, all) => {
    const inBlock = index % 2 === 1;
    if (inBlock && index < all.length - 1) nodes.push(h('pre', {}, inline(piece.replace(/^\n|\n$/g, ''), names, options, true)));
    else if (piece) nodes.push(...paragraphs(inBlock ? `\`\`\`${piece}` : trimAroundBlock(piece, index, all.length), names, options));
    return nodes;
  }, []);
}

/** The line break between text and a code block is the block's own edge, not an empty line more. */
function trimAroundBlock(piece, index, count) {
  let text = piece;
  if (index > 0) text = text.replace(/^\n/, '');
  if (index < count - 2) text = text.replace(/\n$/, '');
  return text;
}

/** The first words of a text, for previews: no styles, no signs, mentions by name. */
export function preview(text, names, length = 90) {
  const node = h('div', {}, mrkdwn(String(text).split('\n').find((one) => one.trim()) ?? '', names));
  const words = node.textContent.trim();
  return words.length > length ? `${words.slice(0, length - 1)}…` : words;
}
