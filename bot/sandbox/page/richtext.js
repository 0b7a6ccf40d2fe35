// rich_text blocks → DOM nodes. Text in them is literal: no mrkdwn, no entities, which is why foreign errors live here.
// https://docs.slack.dev/reference/block-kit/blocks/rich-text-block/
import { dateNode } from './dates.js';
import { h, link, safeColour } from './dom.js';
import { emojiNode, textNodes } from './emoji.js';
import { broadcastNode, channelNode, groupNode, userNode } from './mrkdwn.js';

const WRAPPERS = [['code', 'code'], ['bold', 'strong'], ['italic', 'em'], ['strike', 's'], ['underline', 'u']];
const MARKERS = [['decimal', 'lower-alpha', 'lower-roman'], ['disc', 'circle', 'square']];

function styled(nodes, style = {}) {
  return WRAPPERS.reduce((content, [key, tag]) => (style[key] ? [h(tag, {}, content)] : content), nodes);
}

function leaf(element, names) {
  switch (element.type) {
    case 'text': return textNodes(String(element.text ?? ''));
    case 'link': return [link(element.url, textNodes(String(element.text || element.url)))];
    case 'emoji': return [emojiNode(String(element.name))];
    case 'user': return [userNode(element.user_id, names)];
    case 'usergroup': return [groupNode(element.usergroup_id)];
    case 'broadcast': return [broadcastNode(element.range)];
    case 'channel': return [channelNode(element.channel_id, names)];
    case 'date': {
      const node = dateNode(element.timestamp, String(element.format ?? ''), element.fallback);
      return [element.url ? link(element.url, [node]) : node];
    }
    case 'color': {
      const swatch = h('span', { class: 'swatch' });
      swatch.style.background = safeColour(element.value) ?? 'none';
      return [swatch, String(element.value)];
    }
    default: return [h('span', { class: 'unknown-inline' }, `[${element.type}: not drawn here]`)];
  }
}

const leaves = (elements, names) =>
  (elements ?? []).flatMap((element) => styled(leaf(element, names), element.style));

function list(element, names) {
  const ordered = element.style === 'ordered';
  const indent = Math.min(Math.max(Number(element.indent) || 0, 0), 8);
  const node = h(ordered ? 'ol' : 'ul', { class: `rich-list indent-${indent}`, start: ordered && element.offset ? element.offset + 1 : null },
    (element.elements ?? []).map((item) => h('li', {}, leaves(item.elements, names))));
  node.style.listStyleType = MARKERS[ordered ? 0 : 1][indent % 3];
  return node;
}

/** Of several lines the columns matter: they are scrolled rather than broken. A single long line is broken. */
function preformatted(element, names) {
  const columns = (element.elements ?? []).some(({ text }) => String(text ?? '').trim().includes('\n'));
  return h('pre', columns ? { class: 'columns', tabindex: '0' } : {}, leaves(element.elements, names));
}

function part(element, names) {
  switch (element.type) {
    case 'rich_text_section': return h('div', { class: 'rich-section' }, leaves(element.elements, names));
    case 'rich_text_preformatted': return preformatted(element, names);
    case 'rich_text_quote': return h('blockquote', {}, leaves(element.elements, names));
    case 'rich_text_list': return list(element, names);
    default: return h('div', { class: 'unknown-inline' }, `[${element.type}: not drawn here]`);
  }
}

export const richText = (block, names) => (block.elements ?? []).map((element) => part(element, names));
