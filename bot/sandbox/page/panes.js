// Panes and keys: which pane a narrow screen shows, what Escape, `/` and F6 do.
import { byId } from './dom.js';

const ORDER = ['channel', 'thread', 'sites'];
const PANE = { channel: 'channel-pane', thread: 'thread', sites: 'sites-pane' };
const typing = (target) => target.matches?.('input:not([type=radio]), textarea, select') || target.isContentEditable;

export class Panes {
  constructor({ closeThread }) {
    this.closeThread = closeThread;
    this.focusComposer = () => {};
    this.tabs = Object.fromEntries(ORDER.map((name) => [name, byId(`tab-${name}`)]));
    for (const [name, tab] of Object.entries(this.tabs)) {
      tab.addEventListener('click', () => this.show(name));
      tab.addEventListener('keydown', (event) => this.tabKey(event, name));
    }
    document.addEventListener('keydown', (event) => this.key(event));
  }

  show(name) {
    document.body.dataset.pane = name;
    for (const [other, tab] of Object.entries(this.tabs)) {
      tab.setAttribute('aria-selected', String(other === name));
      tab.tabIndex = other === name ? 0 : -1;
    }
  }

  openThread() {
    byId('thread').hidden = false;
    document.body.classList.add('with-thread');
    this.tabs.thread.disabled = false;
    this.show('thread');
    byId('thread-text').focus({ preventScroll: true });
  }

  closedThread() {
    byId('thread').hidden = true;
    document.body.classList.remove('with-thread');
    this.tabs.thread.disabled = true;
    this.show('channel');
  }

  tabKey(event, name) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const open = ORDER.filter((one) => !this.tabs[one].disabled);
    const next = open[(open.indexOf(name) + by + open.length) % open.length];
    event.preventDefault();
    this.show(next);
    this.tabs[next].focus();
  }

  key(event) {
    if (document.querySelector('dialog[open]')) return;
    if (event.key === 'Escape') this.closeThread();
    else if (event.key === 'F6') this.cycle(event);
    else if (event.key === '/' && !typing(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this.show('channel');
      this.focusComposer('/');
    }
  }

  /** F6 steps through the regions, as in Slack and in browsers. */
  cycle(event) {
    event.preventDefault();
    const stops = [byId('channels').querySelector('button'), byId('home-pane').querySelector('.scroll'), byId('messages'), byId('composer-text'), byId('thread-text'), byId('sites-pane').querySelector('select')]
      .filter((stop) => stop?.checkVisibility());
    const here = stops.findIndex((stop) => stop === document.activeElement || stop.closest('nav, .scroll, form, aside')?.contains(document.activeElement));
    stops[(here + (event.shiftKey ? stops.length - 1 : 1)) % stops.length]?.focus();
  }
}
