// Building DOM without markup: text always becomes a text node, so foreign text cannot become anything else.

/** h('p', {class: 'x', onclick: f, hidden: true}, 'text', node, [more]) → element. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'dataset') Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

export function append(parent, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === '') continue;
    parent.append(child instanceof Node ? child : String(child));
  }
  return parent;
}

export function svg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * Redraws inside `node` without throwing the keyboard out of it: the same button gets the focus again, else `node` does.
 * Block ids may be new after an edit, so the same action counts too.
 */
export function keepingFocus(node, draw) {
  const focus = node.contains(document.activeElement) ? document.activeElement.dataset : null;
  draw();
  if (!focus) return;
  const all = [...node.querySelectorAll('button, select')];
  const same = (...keys) => all.find(({ dataset }) => keys.every((key) => focus[key] && dataset[key] === focus[key]));
  (same('action', 'block') ?? same('action') ?? same('tool') ?? node).focus();
}

export const byId = (id) => document.getElementById(id);

/** Sets text only when it differs, so that screen readers and selections are left in peace. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** An http(s) or mailto address as it may stand in a link, or null: `javascript:` and its kin are only ever shown. */
export function safeAddress(address) {
  try {
    const url = new URL(String(address));
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export function link(address, children) {
  const href = safeAddress(address);
  if (!href) return h('span', { class: 'dead-link', title: 'Not an address that can be opened' }, children);
  return h('a', { href, target: '_blank', rel: 'noopener noreferrer' }, children);
}

const COLOURS = { good: '#2eb67d', warning: '#ecb22e', danger: '#e01e5a' };

/** Slack's colour names or a hex value; anything else is no colour. */
export function safeColour(colour) {
  const value = COLOURS[colour] ?? (/^#?[0-9a-f]{6}$/i.test(colour ?? '') ? `#${colour.replace('#', '')}` : null);
  return value;
}

export const plural = (n, one, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
