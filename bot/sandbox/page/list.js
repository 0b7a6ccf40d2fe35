// A list of messages that follows the world one change at a time: what did not change is not touched.
import { dayKey, dayName } from './dates.js';
import { h, keepingFocus } from './dom.js';
import { drawItem, itemClasses, threadSummary } from './message.js';
import { isBroadcast, isReply } from './world.js';

const GROUP_SECONDS = 300; // Slack draws one author's messages of five minutes under one name

export class MessageList {
  constructor({ list, scroll, world, actions }) {
    Object.assign(this, { list, scroll, world, actions });
    this.entries = []; // in order of time: {key, item, node, divider}
    this.byKey = new Map();
    this.stuck = true;
    this.unseen = 0;
    scroll.addEventListener('scroll', () => { this.stuck = this.atBottom(); if (this.stuck) this.saw(); }, { passive: true });
    // Whatever grows (a window, a thread, a details element): who stood at the end stays at the end.
    new ResizeObserver(() => this.stick()).observe(list);
    new ResizeObserver(() => this.stick()).observe(scroll);
    list.addEventListener('keydown', (event) => this.move(event));
  }

  atBottom() { return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 48; }

  stick() { if (this.stuck) this.scroll.scrollTop = this.scroll.scrollHeight; }

  toEnd() { this.stuck = true; this.stick(); this.saw(); }

  saw() { if (this.unseen) { this.unseen = 0; this.onUnseen?.(0); } }

  /** Makes the list show exactly these items. */
  sync(items) {
    const keep = new Set(items.map((item) => item.key));
    for (const key of [...this.byKey.keys()]) if (!keep.has(key)) this.remove(key);
    for (const item of items) this.put(item, { quietly: true });
    this.stick();
  }

  clear() {
    this.list.replaceChildren();
    this.entries = [];
    this.byKey.clear();
    this.stuck = true;
    this.saw();
  }

  put(item, { quietly = false } = {}) {
    // Only what is drawn: a root that is told anew because its thread grew is not an edited root.
    const { text, blocks, attachments, edited, subtype, command } = item.message;
    const signature = JSON.stringify([text, blocks, attachments, edited, subtype, command, item.user, item.root, this.world.me]);
    const entry = this.byKey.get(item.key);
    if (entry) {
      entry.item = item;
      if (entry.signature !== signature) this.redraw(entry, !quietly);
      entry.signature = signature;
      return;
    }
    const node = h('li', { tabindex: '-1', dataset: { key: item.key } });
    if (item.kind === 'message') node.dataset.ts = item.message.ts;
    const fresh = { key: item.key, item, node, divider: null, signature };
    this.draw(fresh);
    const at = this.place(item);
    const next = this.entries[at];
    this.list.insertBefore(node, next ? next.divider ?? next.node : null);
    this.entries.splice(at, 0, fresh);
    this.byKey.set(item.key, fresh);
    this.tidy(at);
    this.tidy(at + 1);
    if (!quietly) {
      node.classList.add('arrived');
      if (item.user === this.world.me || item.kind !== 'message') this.stuck = true;
      if (!this.stuck) { this.unseen += 1; this.onUnseen?.(this.unseen); }
      this.stick();
    }
  }

  remove(key) {
    const entry = this.byKey.get(key);
    if (!entry) return;
    const at = this.entries.indexOf(entry);
    entry.divider?.remove();
    entry.node.remove();
    this.entries.splice(at, 1);
    this.byKey.delete(key);
    this.tidy(at);
  }

  /** Where in time an item belongs: after everything that is not later. */
  place(item) {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle].item.at <= item.at) low = middle + 1; else high = middle;
    }
    return low;
  }

  draw(entry) {
    entry.node.className = itemClasses(entry.item, this.world).join(' ');
    entry.node.replaceChildren(...drawItem(entry.item, this.world, this.actions));
  }

  redraw(entry, flash) {
    keepingFocus(entry.node, () => this.draw(entry));
    this.tidy(this.entries.indexOf(entry));
    if (flash) this.flash(entry.node);
  }

  flash(node) {
    node.classList.remove('flash');
    void node.offsetWidth; // restarts the animation when edits follow closely
    node.classList.add('flash');
  }

  /** Redraws only the thread line of a message. */
  summary(ts) {
    const entry = this.byKey.get(ts);
    entry?.node.querySelector('.summary-place').replaceChildren(...[threadSummary(entry.item, this.world, this.actions)].filter(Boolean));
  }

  /** Whether an item stands under a new day, under its own name, or joins the one above. */
  tidy(at) {
    const entry = this.entries[at];
    if (!entry) return;
    const above = this.entries[at - 1];
    const newDay = !above || dayKey(above.item.at) !== dayKey(entry.item.at);
    if (newDay && !entry.divider) {
      entry.divider = h('li', { class: 'day', role: 'separator' }, h('span', {}, dayName(entry.item.at)));
      entry.node.before(entry.divider);
    } else if (!newDay && entry.divider) {
      entry.divider.remove();
      entry.divider = null;
    }
    const joins = !newDay && above.item.kind === 'message' && entry.item.kind === 'message' && above.item.user === entry.item.user
      && entry.item.at - above.item.at < GROUP_SECONDS && !isBroadcast(entry.item.message)
      && isReply(entry.item.message) === isReply(above.item.message);
    entry.node.classList.toggle('compact', joins);
  }

  move(event) {
    if (!['ArrowUp', 'ArrowDown', 'Home', 'End', 'Enter', 't'].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    const node = event.target.closest('li.message');
    if (event.target !== this.list && event.target !== node) return;
    const at = this.entries.findIndex((entry) => entry.node === node);
    if (event.key === 'Enter' || event.key === 't') {
      const item = this.entries[at]?.item;
      if (item?.kind !== 'message' || !this.actions.openThread) return;
      event.preventDefault();
      this.actions.openThread(item.message);
      return;
    }
    const last = this.entries.length - 1;
    const to = { ArrowUp: at < 0 ? last : at - 1, ArrowDown: at < 0 ? last : at + 1, Home: 0, End: last }[event.key];
    const target = this.entries[Math.min(Math.max(to, 0), last)];
    if (!target) return;
    event.preventDefault();
    target.node.focus({ preventScroll: true });
    target.node.scrollIntoView({ block: 'nearest' });
  }
}
