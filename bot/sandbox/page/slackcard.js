// Slack's own switch in the simulated world: make it refuse whatever the bot asks.
import { post } from './api.js';
import { h, setText } from './dom.js';

const REFUSALS = [
  [null, 'accepts everything'], ['internal_error', 'fails: internal_error'], ['ratelimited', 'is busy: 429, ratelimited'],
  ['channel_not_found', 'knows no channel: channel_not_found'], ['invalid_auth', 'refuses the token: invalid_auth'], ['timeout', 'never answers: timeout'],
];

/** Builds the card once; answers the function that brings it up to date. */
export function slackCard(holder) {
  const badge = h('span', { class: 'site-badge' });
  const said = h('p', { class: 'said', role: 'status' });
  const choice = h('select', {
    class: 'field-input', id: 'refuse',
    onchange: async () => {
      const answer = await post('/page/refuse', { error: choice.value || null });
      setText(said, answer.ok === false ? answer.error : '');
    },
  }, REFUSALS.map(([value, label]) => h('option', { value: value ?? '' }, label)));
  holder.append(
    h('header', { class: 'card-head' }, h('h3', {}, 'Slack'), badge),
    h('label', { class: 'switch-line' }, h('span', {}, 'The API'), choice), said);
  return ({ connected, refusing }) => {
    const known = [...choice.options].some((option) => option.value === (refusing ?? ''));
    if (!known) choice.append(h('option', { value: refusing }, `refuses: ${refusing}`));
    choice.value = refusing ?? '';
    holder.classList.toggle('faulty', Boolean(refusing));
    setText(badge, refusing ? 'refusing' : connected ? 'bot connected' : 'bot not connected');
    badge.className = `site-badge ${refusing ? 'down' : connected ? 'up' : 'unknown'}`;
  };
}
