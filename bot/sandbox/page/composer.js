// The message box: Enter sends, Shift+Enter breaks the line, arrow up brings back what was sent before.
import { append, h } from './dom.js';

const EXAMPLES = ['/connection 1', '/connection list down', '/connection history 1', '/connection help'];

export class Composer {
  /** `send(text)` answers whether the text was taken; `memory` names the history in this tab's storage. */
  constructor({ form, label, id, send, memory, examples = false }) {
    this.send = send;
    this.memory = memory;
    this.sent = this.recall();
    this.at = this.sent.length;
    this.draft = '';
    this.input = h('textarea', { id, rows: '1', 'aria-label': label, placeholder: label, spellcheck: 'false', autocapitalize: 'off' });
    this.button = h('button', { type: 'submit', class: 'send', 'aria-label': 'Send', title: 'Send (Enter)', disabled: true }, '➤');
    this.hints = examples && h('div', { class: 'hints', role: 'group', 'aria-label': 'Examples' },
      EXAMPLES.map((example) => h('button', { type: 'button', class: 'hint', onclick: () => this.fill(example) }, example)));
    append(form, [this.hints, h('div', { class: 'box' }, this.input, this.button),
      h('p', { class: 'keys', 'aria-hidden': 'true' }, h('kbd', {}, 'Enter'), ' sends · ', h('kbd', {}, '↑'), ' earlier', examples && [' · ', h('kbd', {}, '/'), ' from anywhere'])]);
    form.addEventListener('submit', (event) => { event.preventDefault(); this.submit(); });
    this.input.addEventListener('keydown', (event) => this.key(event));
    this.input.addEventListener('input', () => { this.at = this.sent.length; this.shape(); });
  }

  recall() {
    try { return JSON.parse(sessionStorage.getItem(this.memory)) ?? []; } catch { return []; }
  }

  remember(text) {
    if (this.sent.at(-1) !== text) this.sent = [...this.sent, text].slice(-50);
    this.at = this.sent.length;
    try { sessionStorage.setItem(this.memory, JSON.stringify(this.sent)); } catch { /* remembered until the page closes */ }
  }

  focus() { this.input.focus(); }

  fill(text) {
    this.input.value = text;
    this.shape();
    this.input.focus();
    this.input.setSelectionRange(text.length, text.length);
  }

  shape() {
    this.button.disabled = !this.input.value.trim();
    this.input.style.height = 'auto';
    this.input.style.height = `${Math.min(this.input.scrollHeight, 160)}px`;
  }

  async submit() {
    const text = this.input.value.trim();
    if (!text) return;
    this.remember(text);
    this.fill('');
    if (!(await this.send(text)) && !this.input.value) this.fill(text);
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === 'ArrowUp' && this.onFirstLine()) this.step(-1, event);
    else if (event.key === 'ArrowDown' && this.at < this.sent.length) this.step(1, event);
  }

  onFirstLine() { return this.at < this.sent.length || !this.input.value; }

  step(by, event) {
    const to = this.at + by;
    if (to < 0 || to > this.sent.length) return;
    event.preventDefault();
    if (this.at === this.sent.length) this.draft = this.input.value;
    this.fill(to === this.sent.length ? this.draft : this.sent[to]);
    this.at = to;
  }
}
