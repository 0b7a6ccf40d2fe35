// The confirm dialog of a button, and what a message was made of.
import { text } from './blocks.js';
import { byId, h } from './dom.js';

/** Asks as Slack asks; answers whether the person went on. Escape is a no. */
export function confirmPress(confirm, names) {
  const dialog = byId('confirm');
  return new Promise((resolve) => {
    let answer = false;
    const close = (value) => () => { answer = value; dialog.close(); };
    const danger = confirm.style === 'danger' ? 'danger' : 'primary';
    dialog.replaceChildren(
      h('h2', { id: 'confirm-title' }, text(confirm.title, names)),
      h('div', { class: 'dialog-text' }, text(confirm.text, names)),
      h('div', { class: 'dialog-buttons' },
        h('button', { type: 'button', class: 'block-button plain', onclick: close(false) }, text(confirm.deny ?? { text: 'Cancel' }, names)),
        h('button', { type: 'button', class: `block-button ${danger}`, autofocus: true, onclick: close(true) }, text(confirm.confirm ?? { text: 'Yes' }, names))));
    dialog.addEventListener('close', () => resolve(answer), { once: true });
    dialog.showModal();
  });
}

export function showSource(message) {
  const dialog = byId('source');
  dialog.replaceChildren(
    h('h2', { id: 'source-title' }, 'What was sent'),
    h('pre', { tabindex: '0' }, JSON.stringify(message, null, 2)),
    h('div', { class: 'dialog-buttons' }, h('button', { type: 'button', class: 'block-button plain', onclick: () => dialog.close() }, 'Close')));
  dialog.showModal();
}
