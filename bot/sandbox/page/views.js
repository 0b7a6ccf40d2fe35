// The app's own surfaces: its Home tab and its modals, each as the person sees them who is looked at the page as.
import { post } from './api.js';
import { drawBody } from './blocks.js';
import { byId, h, keepingFocus, setText } from './dom.js';

/** The blocks of a view, drawn anew only when they differ; a press is one on this view. */
class Surface {
  constructor(node, { world, press }) {
    Object.assign(this, { node, world, press });
  }

  draw(blocks, view = null) {
    const signature = JSON.stringify([blocks, this.world.me, view]);
    if (signature === this.signature) return;
    this.signature = signature;
    const context = { names: this.world.names, act: (pressed) => this.press({ kind: 'view', view }, pressed) };
    keepingFocus(this.node, () => this.node.replaceChildren(
      ...(blocks.length ? drawBody({ blocks }, context) : []), h('p', { class: 'failed', role: 'alert', hidden: true })));
  }
}

/** Opening it tells the app, which then publishes what this person sees. */
export class HomeTab {
  constructor({ world, press }) {
    this.world = world;
    this.pane = byId('home-pane');
    this.surface = new Surface(byId('home-body'), { world, press });
  }

  get open() { return !this.pane.hidden; }

  show() {
    this.toggle(true);
    this.ask();
    this.pane.querySelector('.scroll').scrollTop = 0;
  }

  hide() { this.toggle(false); }

  toggle(open) {
    this.pane.hidden = !open;
    byId('channel-pane').hidden = open;
  }

  async ask() {
    const { me } = this.world;
    this.draw();
    const answer = await post('/page/home', { user: me });
    if (me === this.world.me) this.tell(answer.ok === false ? `${this.world.bot.name} was not told that you look: ${answer.error}` : '');
  }

  draw() {
    const view = this.world.homes.get(this.world.me);
    this.surface.draw(view?.blocks ?? []);
    setText(byId('home-name'), this.world.bot.name ?? 'App');
    setText(byId('home-who'), `as ${this.world.names.user(this.world.me)} sees it`);
    byId('home-empty').hidden = Boolean(view);
  }

  tell(words) {
    const said = byId('home-failed');
    said.hidden = !words;
    setText(said, words);
  }
}

/** A native dialog: it keeps the keyboard inside, Escape closes it, and what is behind it rests. */
export class Modal {
  constructor({ world, press }) {
    this.world = world;
    this.dialog = byId('modal');
    this.id = null;
    this.from = null;
    this.surface = new Surface(byId('modal-body'), { world, press });
    for (const way of ['modal-leave', 'modal-close']) byId(way).addEventListener('click', () => this.dialog.close());
    this.dialog.addEventListener('close', () => this.closed());
  }

  /** Shows the newest modal of this person, or none. */
  sync() {
    const view = [...this.world.views.values()].filter(({ opened_by: by }) => by === this.world.me).at(-1);
    this.id = view?.id ?? null;
    if (!view) {
      this.dialog.close();
      return;
    }
    setText(byId('modal-title'), view.title?.text ?? '');
    setText(byId('modal-leave'), view.close?.text ?? 'Close');
    this.surface.draw(view.blocks ?? [], view.id);
    if (this.dialog.open) return;
    const from = document.activeElement;
    this.from = { key: from?.closest('li')?.dataset.key, action: from?.dataset.action };
    this.dialog.showModal();
  }

  closed() {
    const id = this.id;
    this.id = null;
    if (id) {
      this.world.views.delete(id);
      post('/page/view-close', { view: id });
    }
    // The browser returns to the button that was pressed; an edit meanwhile may have put another in its place.
    const at = document.activeElement;
    if (!this.from || !(at === document.body || this.dialog.contains(at))) return;
    const line = this.from.key && document.querySelector(`.channel-pane:not([hidden]) li[data-key="${CSS.escape(this.from.key)}"]`);
    const button = (line || document).querySelector(`[data-action="${CSS.escape(this.from.action ?? '')}"]`);
    (button ?? line)?.focus();
  }
}
