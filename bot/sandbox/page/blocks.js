// Block Kit → DOM. What is not drawn says so, with its source: a block must never vanish silently.
// https://docs.slack.dev/reference/block-kit/blocks/
import { h, link, safeColour } from './dom.js';
import { fullTime } from './dates.js';
import { plainNodes } from './emoji.js';
import { mrkdwn } from './mrkdwn.js';
import { richText } from './richtext.js';

export function text(object, names) {
  if (!object) return [];
  if (object.type === 'mrkdwn') return mrkdwn(object.text, names, { verbatim: object.verbatim === true });
  return plainNodes(String(object.text ?? ''), object.emoji !== false);
}

function unknown(thing, what) {
  return h('details', { class: 'unknown-block', dataset: { unknown: String(thing?.type) } },
    h('summary', {}, `${what} “${thing?.type}” is not drawn here`),
    h('pre', {}, JSON.stringify(thing, null, 2)));
}

function placeholder(image, small = false) {
  const label = image.alt_text || 'image';
  // Pictures come from elsewhere; the page loads nothing from elsewhere and shows what a screen reader would say.
  return h('span', { class: small ? 'picture small' : 'picture', role: 'img', 'aria-label': label, title: image.image_url ?? '' },
    small ? label.slice(0, 1).toUpperCase() : label);
}

function button(element, block, context) {
  const style = ['primary', 'danger'].includes(element.style) ? element.style : 'plain';
  return h('button', {
    type: 'button', class: `block-button ${style}`, 'aria-label': element.accessibility_label,
    dataset: { action: element.action_id ?? '', block: block.block_id ?? '' },
    onclick: (event) => context.act({ element, block, button: event.currentTarget }),
  }, h('span', { class: 'label' }, plainNodes(String(element.text?.text ?? ''))));
}

/** A select, or the "⋯" of an overflow menu: the browser's own list, so that keys and screen readers know it. */
function menu(element, block, context) {
  const overflow = element.type === 'overflow';
  const words = overflow ? '⋯' : String(element.placeholder?.text ?? 'Choose…');
  const initial = element.initial_option?.value;
  const option = ({ text: label, value }) => h('option', { value, selected: value === initial }, plainNodes(String(label?.text ?? '')));
  return h('select', {
    class: overflow ? 'block-select overflow' : 'block-select', 'aria-label': overflow ? 'More' : words,
    dataset: { action: element.action_id ?? '', block: block.block_id ?? '' },
    onchange: ({ currentTarget }) => {
      const { value } = currentTarget;
      if (overflow) currentTarget.value = '';
      context.act({ element: { ...element, value }, block, button: currentTarget });
    },
  }, initial === undefined && h('option', { value: '', selected: true, hidden: true }, words), (element.options ?? []).map(option));
}

function accessory(element, block, context) {
  if (element.type === 'button') return button(element, block, context);
  if (element.type === 'static_select' || element.type === 'overflow') return menu(element, block, context);
  if (element.type === 'image') return placeholder(element);
  return unknown(element, 'Element');
}

/** A cell of a table block: raw_text, raw_number or rich_text. */
function cell(content, names) {
  if (content?.type === 'rich_text') return richText(content, names);
  return plainNodes(String(content?.text ?? content?.value ?? ''));
}

function table(block, names) {
  const settings = block.column_settings ?? [];
  const row = (cells, tag) => h('tr', {}, cells.map((content, column) => {
    const align = ['left', 'center', 'right'].includes(settings[column]?.align) ? settings[column].align : 'left';
    return h(tag, { class: `${align}${settings[column]?.is_wrapped ? ' wrapped' : ''}`, scope: tag === 'th' ? 'col' : null }, cell(content, names));
  }));
  const [head = [], ...body] = block.rows ?? [];
  return h('div', { class: 'table-wrap', tabindex: '0', role: 'region', 'aria-label': 'Table' },
    h('table', {}, h('thead', {}, row(head, 'th')), h('tbody', {}, body.map((cells) => row(cells, 'td')))));
}

const DRAW = {
  header: (block, { names }) => [h('h3', { class: 'block-header' }, text(block.text, names))],
  section: (block, context) => [
    h('div', { class: 'section-body' },
      block.text && h('div', { class: 'section-text' }, text(block.text, context.names)),
      block.fields && h('div', { class: 'fields' }, block.fields.map((field) => h('div', { class: 'field' }, text(field, context.names))))),
    block.accessory && h('div', { class: 'accessory' }, accessory(block.accessory, block, context)),
  ],
  context: (block, { names }) => (block.elements ?? []).map((element) =>
    element.type === 'image' ? placeholder(element, true) : h('span', { class: 'context-item' }, text(element, names))),
  divider: () => [h('hr')],
  actions: (block, context) => (block.elements ?? []).map((element) => accessory(element, block, context)),
  image: (block, { names }) => [block.title && h('div', { class: 'picture-title' }, text(block.title, names)), placeholder(block)],
  rich_text: (block, { names }) => richText(block, names),
  table: (block, { names }) => [table(block, names)],
};

export function drawBlock(block, context) {
  const draw = Object.hasOwn(DRAW, block?.type) ? DRAW[block.type] : null;
  if (!draw) return unknown(block, 'Block');
  try {
    return h('div', { class: `block block-${block.type}` }, draw(block, context));
  } catch {
    // A block of an unexpected shape costs itself only, and is shown as it came.
    return unknown(block, 'Broken block');
  }
}

function attachment(item, context) {
  const { names } = context;
  const body = h('div', { class: 'attachment-body' },
    item.title && h('div', { class: 'attachment-title' }, item.title_link ? link(item.title_link, plainNodes(item.title)) : plainNodes(item.title)),
    item.text && h('div', {}, mrkdwn(item.text, names)),
    item.fields && h('div', { class: 'fields' }, item.fields.map((field) =>
      h('div', { class: 'field' }, h('strong', {}, plainNodes(String(field.title ?? ''))), h('div', {}, mrkdwn(String(field.value ?? ''), names))))),
    (item.blocks ?? []).map((block) => drawBlock(block, context)),
    !item.blocks && !item.text && !item.title && item.fallback && h('div', {}, plainNodes(item.fallback)),
    item.footer && h('div', { class: 'attachment-footer' }, plainNodes(item.footer), item.ts && ` · ${fullTime(Number(item.ts))}`));
  const colour = safeColour(item.color);
  if (colour) body.style.borderLeftColor = colour;
  return h('div', { class: 'attachment' }, item.pretext && h('div', {}, mrkdwn(item.pretext, names)), body);
}

/**
 * The body of a message or of a private reply: its blocks, else its text, then its attachments.
 * `context` is {names, act}: `names` resolves ids, `act({element, block, button})` sends a press to the app.
 */
export function drawBody(message, context) {
  const parts = [];
  if (message.blocks?.length) parts.push(...message.blocks.map((block) => drawBlock(block, context)));
  else if (message.text) parts.push(h('div', { class: 'block block-text' }, mrkdwn(message.text, context.names)));
  parts.push(...(message.attachments ?? []).map((item) => attachment(item, context)));
  if (!parts.length) parts.push(h('p', { class: 'unknown-inline' }, '(a message without text, blocks or attachments)'));
  return parts;
}

/** One line that says what a message is about, for thread links and announcements. */
export const sentence = (message) =>
  message.text || message.blocks?.map((block) => block.text?.text).find(Boolean) || message.attachments?.[0]?.fallback || '(no text)';
