// The simulated world: each ItemPath site with its connections and switches. Rows are kept and updated in place, so that
// a text being typed or a focused switch survives what the world does meanwhile.
import { Feed, post } from './api.js';
import { formatDate } from './dates.js';
import { byId, h, plural, setText } from './dom.js';
import { textNodes } from './emoji.js';

const FAULTS = [
  [null, 'answers normally'], ['unreachable', 'is unreachable'], ['timeout', 'never answers in time'], ['credentials', 'refuses the credentials'],
  ['html', 'answers with an HTML page'], ['server_error', 'answers 500'], ['rate_limited', 'answers 429, too many requests'],
];
const UNFOLDED = 6; // a large site must not push the next one out of sight
const STATES = [[1, 'up', 'Up'], [0, 'down', 'Down'], [null, 'unknown', 'Unknown']];
const stateOf = (status) => (status === 1 ? 'up' : status === 0 ? 'down' : 'unknown');
const path = (site, ...rest) => ['/sites', site, ...rest].map((piece, index) => (index ? encodeURIComponent(piece) : piece)).join('/');

class ConnectionRow {
  constructor(site, connection, tell) {
    this.site = site;
    this.id = connection.id;
    this.send = async (body, said) => {
      const answer = await post(path(site, 'connections', this.id), body);
      tell(answer.ok === false ? `${this.name}: ${answer.error}` : said && `${this.name}: ${said}`);
      return answer.ok !== false;
    };
    const group = `status-${site}-${connection.id}`;
    this.radios = STATES.map(([status, state, label]) => {
      const radio = h('input', { type: 'radio', name: group, value: state, class: 'sr', onchange: () => this.send({ status }) });
      return { state, radio, label: h('label', { class: `choice ${state}` }, radio, h('span', {}, label)) };
    });
    this.dot = h('span', { class: 'dot' });
    this.title = h('span', { class: 'connection-name' });
    this.facts = h('p', { class: 'connection-facts' });
    this.log = h('p', { class: 'connection-log' });
    this.quiet = h('p', { class: 'connection-quiet' });
    this.legend = h('legend', { class: 'sr' });
    this.error = h('input', { type: 'text', class: 'field-input', maxlength: '2000', value: 'Timeout after 30000 ms while exporting order 4711' });
    const write = h('form', { class: 'write', onsubmit: (event) => { event.preventDefault(); if (this.error.value.trim()) this.send({ error: this.error.value }, 'error log written'); } },
      h('label', {}, h('span', {}, 'Error text'), this.error),
      h('div', { class: 'button-row' },
        h('button', { type: 'submit', class: 'small-button alarm' }, 'Write error log'),
        h('button', { type: 'button', class: 'small-button', onclick: () => this.send({ log: 'Connection test complete' }, 'clean log written') }, 'Clean log'),
        h('button', { type: 'button', class: 'small-button quiet-button', onclick: () => this.send({ remove: true }, 'removed') }, 'Remove')));
    this.summary = h('summary', { class: 'more' }, 'Write log');
    this.node = h('li', { class: 'connection' },
      h('div', { class: 'connection-head' }, this.dot, this.title,
        h('fieldset', { class: 'choices' }, this.legend, this.radios.map(({ label }) => label))),
      this.facts, this.log, this.quiet,
      h('details', {}, this.summary, write));
    this.update(connection);
  }

  update(connection) {
    this.name = connection.name;
    const state = stateOf(connection.status);
    this.node.dataset.state = state;
    this.node.dataset.connection = connection.id;
    this.dot.className = `dot ${state}`;
    setText(this.title, connection.name);
    this.title.title = connection.name;
    const facts = [`#${connection.id}`, connection.type, connection.integrationCount ? plural(connection.integrationCount, 'integration') : null];
    setText(this.facts, facts.filter((fact) => fact !== null && fact !== undefined).join(' · '));
    setText(this.legend, `Status of ${connection.name}`);
    this.summary.setAttribute('aria-label', `Write log of ${connection.name}`);
    for (const { state: mine, radio } of this.radios) radio.checked = mine === state;
    const error = connection.latestLog?.error;
    setText(this.log, error ? String(error) : connection.latestLog?.description ?? '');
    this.log.classList.toggle('is-error', Boolean(error));
    this.log.title = error ? String(error) : '';
    this.log.hidden = !this.log.textContent;
    const { until, reason } = connection.quiet ?? {};
    this.quiet.hidden = !until;
    const why = until ? `🔇 In maintenance until ${formatDate(until, '{time}')}${reason ? ` (${reason})` : ''}: the bot makes no noise about it, whatever you switch.` : '';
    if (this.quiet.textContent !== why) this.quiet.replaceChildren(...textNodes(why));
  }

  /** One row of a site is in the keyboard's way at a time; the arrow keys lead to the others. */
  inTheWay(is) {
    for (const { radio } of this.radios) radio.tabIndex = is ? 0 : -1;
    this.summary.tabIndex = is ? 0 : -1;
  }

  /** The row's thing of the same kind as `other`, which is focused in another row. */
  like(other) { return other.matches('summary') ? this.summary : this.radios.find(({ radio }) => radio.checked).radio; }
}

class SiteCard {
  constructor(site) {
    this.rows = new Map();
    this.name = site.name;
    this.title = h('h3', {}, site.name);
    this.badge = h('span', { class: 'site-badge' });
    this.address = h('p', { class: 'site-address' });
    this.said = h('p', { class: 'said', role: 'status' });
    const tell = (words) => { if (words) setText(this.said, words); };
    this.fault = h('select', { class: 'field-input', onchange: () => this.setFault(tell) }, FAULTS.map(([value, label]) => h('option', { value: value ?? '' }, label)));
    const label = `Connections of ${site.name}; arrow keys up and down lead from one to the next`;
    this.list = h('ul', { class: 'connections', 'aria-label': label });
    this.rest = h('ul', { class: 'connections', 'aria-label': `More c${label.slice(1)}` });
    for (const list of [this.list, this.rest]) {
      list.addEventListener('keydown', (event) => this.move(event));
      list.addEventListener('focusin', ({ target }) => this.rove(this.rowOf(target)));
    }
    this.more = h('summary', { class: 'more' });
    this.folded = h('details', { class: 'folded' }, this.more, this.rest);
    this.tell = tell;
    const name = h('input', { type: 'text', class: 'field-input', required: true, maxlength: '120', placeholder: 'SAP orders' });
    const type = h('input', { type: 'text', class: 'field-input', maxlength: '60', value: 'REST API' });
    this.node = h('section', { class: 'card site', 'aria-label': `Site ${site.name}`, dataset: { site: site.name } },
      h('header', { class: 'card-head' }, this.title, this.badge), this.address,
      h('label', { class: 'switch-line' }, h('span', {}, 'The server'), this.fault),
      this.list, this.folded, this.said,
      h('details', { class: 'add' }, h('summary', { class: 'more' }, 'Add a connection'),
        h('form', {
          class: 'write', onsubmit: async (event) => {
            event.preventDefault();
            const answer = await post(path(this.name, 'connections'), { name: name.value.trim(), type: type.value.trim() });
            tell(answer.ok === false ? answer.error : `${name.value.trim()}: added`);
            if (answer.ok !== false) name.value = '';
          },
        },
        h('label', {}, h('span', {}, 'Name'), name), h('label', {}, h('span', {}, 'Type'), type),
        h('div', { class: 'button-row' }, h('button', { type: 'submit', class: 'small-button' }, 'Add')))));
    this.update(site);
  }

  rowOf(target) { return this.rows.get(target.closest('.connection')?.dataset.connection); }

  rove(row) {
    this.active = row;
    for (const one of this.rows.values()) one.inTheWay(one === row);
  }

  /** Up and down lead to the next row; left and right choose a state, as everywhere. */
  move(event) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by || !event.target.matches('summary, input[type=radio]')) return;
    event.preventDefault();
    const nodes = [...this.list.children, ...(this.folded.open ? this.rest.children : [])];
    const next = nodes[nodes.indexOf(event.target.closest('.connection')) + by];
    if (next) this.rowOf(next).like(event.target).focus();
  }

  async setFault(tell) {
    const fault = this.fault.value || null;
    const answer = await post(path(this.name, 'fault'), { fault });
    tell(answer.ok === false ? answer.error : `the server ${FAULTS.find(([value]) => value === fault)[1]}`);
  }

  update(site) {
    const seen = new Set(site.connections.map(({ id }) => String(id)));
    for (const [id, row] of this.rows) if (!seen.has(id)) { row.node.remove(); this.rows.delete(id); }
    for (const connection of site.connections) {
      const id = String(connection.id);
      if (this.rows.has(id)) this.rows.get(id).update(connection);
      else {
        const row = new ConnectionRow(this.name, connection, this.tell);
        this.rows.set(id, row);
        (this.list.children.length < UNFOLDED ? this.list : this.rest).append(row.node);
      }
    }
    if (![...this.rows.values()].includes(this.active)) this.rove(this.rows.values().next().value);
    else for (const row of this.rows.values()) row.inTheWay(row === this.active);
    setText(this.more, `${this.rest.children.length} more`);
    this.folded.hidden = !this.rest.children.length;
    const down = site.connections.filter(({ status }) => status === 0).length;
    const unknown = site.connections.filter(({ status }) => status !== 0 && status !== 1).length;
    const states = [down && `${down} of ${site.connections.length} down`, unknown && `${unknown} unknown`].filter(Boolean).join(', ');
    const broken = Boolean(site.fault) || site.reachable === false;
    this.node.classList.toggle('faulty', broken);
    setText(this.badge, broken ? 'disturbed' : states || (site.connections.length ? 'all up' : 'empty'));
    this.badge.className = `site-badge ${broken ? 'unknown' : down ? 'down' : unknown || !site.connections.length ? 'unknown' : 'up'}`;
    setText(this.address, `${site.url} · asked ${plural(site.calls ?? 0, 'time')}`);
    if (document.activeElement !== this.fault) this.fault.value = site.fault ?? '';
  }
}

/** Fills the panel from `/sites/…` and keeps it true; a sandbox without sites says so. */
export function watchSites() {
  const cards = new Map();
  const holder = byId('sites');
  const empty = byId('sites-empty');
  const show = (site) => {
    if (cards.has(site.name)) { cards.get(site.name).update(site); return; }
    const card = new SiteCard(site);
    cards.set(site.name, card);
    holder.append(card.node);
  };
  new Feed({
    stream: '/sites/stream',
    state: '/sites/state',
    onState: ({ sites }) => {
      const names = new Set(sites.map(({ name }) => name));
      for (const [name, card] of cards) if (!names.has(name)) { card.node.remove(); cards.delete(name); }
      sites.forEach(show);
    },
    onEvent: (event) => { if (event.type === 'site') show(event.site); },
    onLink: (up) => {
      holder.classList.toggle('stale', !up);
      setText(empty, up ? 'There are no sites.' : 'The simulated sites do not answer; trying again.');
      empty.hidden = up && cards.size > 0;
    },
  }).start();
}
