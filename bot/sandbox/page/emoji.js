// Emoji by Slack's names. The ones an alert lives on are drawn here, so that a state reads the same on machines
// without an emoji font; the rest are the reader's own font's. Unknown names stay `:name:`, as in Slack.
import { h, svg } from './dom.js';

const UNICODE = {
  red_circle: '🔴', large_green_circle: '🟢', green_circle: '🟢', large_yellow_circle: '🟡', large_orange_circle: '🟠',
  large_blue_circle: '🔵', large_purple_circle: '🟣', white_circle: '⚪', black_circle: '⚫',
  large_red_square: '🟥', large_green_square: '🟩', large_yellow_square: '🟨', large_orange_square: '🟧',
  white_large_square: '⬜', black_large_square: '⬛',
  white_check_mark: '✅', heavy_check_mark: '✔️', ballot_box_with_check: '☑️', x: '❌', warning: '⚠️', rotating_light: '🚨',
  no_entry: '⛔', no_entry_sign: '🚫', octagonal_sign: '🛑', construction: '🚧', bell: '🔔', no_bell: '🔕', mute: '🔇',
  speaker: '🔈', loudspeaker: '📢', mega: '📣', eyes: '👀', eye: '👁️', see_no_evil: '🙈', hourglass: '⌛',
  hourglass_flowing_sand: '⏳', alarm_clock: '⏰', stopwatch: '⏱️', clock1: '🕐', clock3: '🕒', clock9: '🕘', link: '🔗',
  electric_plug: '🔌', satellite: '🛰️', satellite_antenna: '📡', signal_strength: '📶', zap: '⚡', fire: '🔥', boom: '💥',
  wrench: '🔧', hammer_and_wrench: '🛠️', gear: '⚙️', nut_and_bolt: '🔩', toolbox: '🧰', information_source: 'ℹ️',
  question: '❓', grey_question: '❔', exclamation: '❗', heavy_exclamation_mark: '❗', bangbang: '‼️', bulb: '💡', mag: '🔍',
  mag_right: '🔎', arrows_counterclockwise: '🔄', repeat: '🔁', leftwards_arrow_with_hook: '↩️', arrow_up: '⬆️', arrow_down: '⬇️',
  arrow_right: '➡️', arrow_left: '⬅️', arrow_forward: '▶️', small_red_triangle: '🔺', small_red_triangle_down: '🔻',
  chart_with_upwards_trend: '📈', chart_with_downwards_trend: '📉', bar_chart: '📊', clipboard: '📋', memo: '📝', pencil2: '✏️',
  page_facing_up: '📄', scroll: '📜', books: '📚', calendar: '📆', date: '📅', package: '📦', inbox_tray: '📥', outbox_tray: '📤',
  mailbox: '📫', email: '✉️', lock: '🔒', unlock: '🔓', closed_lock_with_key: '🔐', key: '🔑', shield: '🛡️',
  bust_in_silhouette: '👤', busts_in_silhouette: '👥', robot_face: '🤖', wave: '👋', raised_hand: '✋', hand: '✋', '+1': '👍',
  thumbsup: '👍', '-1': '👎', pray: '🙏', clap: '👏', muscle: '💪', ok_hand: '👌', point_right: '👉', handshake: '🤝', tada: '🎉',
  sparkles: '✨', star: '⭐', heart: '❤️', green_heart: '💚', smile: '😄', slightly_smiling_face: '🙂', thinking_face: '🤔',
  sweat_smile: '😅', cry: '😢', sleeping: '😴', zzz: '💤', coffee: '☕', rocket: '🚀', ship: '🚢', truck: '🚚', factory: '🏭',
  house: '🏠', globe_with_meridians: '🌐', computer: '💻', desktop_computer: '🖥️', floppy_disk: '💾', card_file_box: '🗃️', file_cabinet: '🗄️',
  speech_balloon: '💬', thought_balloon: '💭', pushpin: '📌', round_pushpin: '📍', paperclip: '📎', wastebasket: '🗑️', new: '🆕',
  sos: '🆘', up: '🆙', ok: '🆗', ghost: '👻', ocean: '🌊', heavy_plus_sign: '➕', heavy_minus_sign: '➖', infinity: '♾️',
  double_vertical_bar: '⏸️', pause_button: '⏸️', black_square_for_stop: '⏹️', stop_button: '⏹️', recycle: '♻️', fast_forward: '⏩', sunny: '☀️', crescent_moon: '🌙',
};

const disc = (fill, edge) => [['circle', { cx: 10, cy: 10, r: 8, fill, stroke: edge }]];
const tile = (fill, edge) => [['rect', { x: 2.5, y: 2.5, width: 15, height: 15, rx: 2.5, fill, stroke: edge }]];
const line = (d, stroke, width = 2) =>
  ['path', { d, fill: 'none', stroke, 'stroke-width': width, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' }];
const shape = (d, fill) => ['path', { d, fill }];
const bell = [shape('M10 2.5c-3.6 0-5 2.6-5 5.4 0 3.4-1 4.6-2 5.6h14c-1-1-2-2.2-2-5.6 0-2.8-1.4-5.4-5-5.4z', '#f2b632'), shape('M8 15h4a2 2 0 0 1-4 0z', '#c98a12')];
const slash = line('M3.5 3.5l13 13', '#dd2e44', 2.2);
const glass = [shape('M4 2h12v2H4zM4 16h12v2H4z', '#b07a3f'), shape('M5.5 4h9c0 4-3 4.6-3 6s3 2 3 6h-9c0-4 3-4.6 3-6s-3-2-3-6z', '#cfe6f5'), shape('M7 14.6c1-1.8 5-1.8 6 0V16H7zM7.4 7h5.2c-.7 1.4-1.8 1.8-2.6 2.6C9.2 8.8 8.1 8.4 7.4 7z', '#f2b632')];

const DRAWN = {
  '🔴': disc('#dd2e44', '#b71f35'), '🟢': disc('#4caf50', '#388e3c'), '🟡': disc('#fdcb41', '#e0a912'), '🟠': disc('#f4900c', '#cf7600'),
  '🔵': disc('#3b82f6', '#2563eb'), '🟣': disc('#9b6bdf', '#7c4dc4'), '⚪': disc('#eef0f3', '#a7adb5'), '⚫': disc('#3a3d42', '#17181a'),
  '🟥': tile('#dd2e44', '#b71f35'), '🟩': tile('#4caf50', '#388e3c'), '🟨': tile('#fdcb41', '#e0a912'), '🟧': tile('#f4900c', '#cf7600'), '⬜': tile('#eef0f3', '#a7adb5'), '⬛': tile('#3a3d42', '#17181a'),
  '✅': [...tile('#4caf50', '#388e3c'), line('M6 10.5l3 3 5.5-7', '#fff', 2.2)],
  '✔': [line('M4 11l4 4 8.5-10', '#4caf50', 2.6)],
  '❌': [line('M4.5 4.5l11 11M15.5 4.5l-11 11', '#dd2e44', 3)],
  '⚠': [shape('M10 1.8L19 17.5a1 1 0 0 1-.9 1.3H1.9A1 1 0 0 1 1 17.5z', '#fdcb41'), line('M10 7.5v5', '#3a2f0b', 2.2), ['circle', { cx: 10, cy: 15.6, r: 1.3, fill: '#3a2f0b' }]],
  '🚨': [shape('M5 15V10a5 5 0 0 1 10 0v5z', '#dd2e44'), shape('M3.5 15h13v3h-13z', '#7d8794'), line('M10 1v1.5M2.5 4l1.3 1M17.5 4l-1.3 1', '#f4900c', 1.6), line('M8 10a2 2 0 0 1 2-2', '#fff', 1.4)],
  '⛔': [...disc('#dd2e44', '#b71f35'), ['rect', { x: 5, y: 8.5, width: 10, height: 3, rx: 0.5, fill: '#fff' }]],
  '🚫': [['circle', { cx: 10, cy: 10, r: 7.2, fill: 'none', stroke: '#dd2e44', 'stroke-width': 2.4 }], line('M5 5l10 10', '#dd2e44', 2.4)],
  '🔔': bell, '🔕': [...bell, slash],
  '🔇': [shape('M2.5 7.5h3.5L11 3.5v13L6 12.5H2.5z', '#8b95a1'), slash],
  '👀': [['ellipse', { cx: 6, cy: 10, rx: 4, ry: 5.5, fill: '#fff', stroke: '#9aa3ad' }], ['ellipse', { cx: 14, cy: 10, rx: 4, ry: 5.5, fill: '#fff', stroke: '#9aa3ad' }], ['circle', { cx: 5, cy: 11, r: 2, fill: '#33281e' }], ['circle', { cx: 13, cy: 11, r: 2, fill: '#33281e' }]],
  '⌛': glass, '⏳': glass,
  '⏰': [['circle', { cx: 10, cy: 11, r: 6.5, fill: '#fff', stroke: '#dd2e44', 'stroke-width': 2 }], line('M10 7.5V11l2.5 1.5', '#33281e', 1.5), line('M3 5l2.5-2.5M17 5l-2.5-2.5', '#dd2e44')],
  '🔗': [line('M8.5 11.5a3.2 3.2 0 0 0 4.6.2l2.7-2.7a3.2 3.2 0 0 0-4.6-4.6L10 5.7M11.5 8.5a3.2 3.2 0 0 0-4.6-.2L4.2 11a3.2 3.2 0 0 0 4.6 4.6L10 14.3', '#8899a6')],
  '🔌': [line('M7.5 2v4M12.5 2v4M10 14v4', '#6b7683'), shape('M5 6h10v4a5 5 0 0 1-10 0z', '#6b7683')],
  '📡': [shape('M3 8a7.5 7.5 0 0 0 9 9z', '#8899a6'), line('M8 12l4-4M11 4a5 5 0 0 1 5 5M11 1.5A7.5 7.5 0 0 1 18.5 9', '#5b8def', 1.6)],
  '⚡': [shape('M11.5 1L4 11.5h4.5L7.5 19 16 8h-5z', '#f4b20c')],
  '🔥': [shape('M10.5 1c.5 4 5 5.5 5 11a5.5 6 0 0 1-11 0c0-3 1.5-4 2-6 1.5.5 2 1.5 2 2.5C10 7 10.5 4 10.5 1z', '#f4900c'), shape('M10 10c.5 2 2.5 2.5 2.5 5a2.5 2.7 0 0 1-5 0c0-2 2-2.5 2.5-5z', '#fdcb41')],
  '🔧': [line('M5 15l7-7', '#8899a6', 3.2), line('M16.5 5.5a3.6 3.6 0 1 1-3-3', '#8899a6', 2.6)],
  'ℹ': [...tile('#3b82f6', '#2563eb'), line('M10 9v5', '#fff', 2.2), ['circle', { cx: 10, cy: 6, r: 1.4, fill: '#fff' }]],
  '❓': [line('M6.5 6.5a3.5 3.5 0 1 1 5 3.2c-1 .6-1.5 1-1.5 2.8', '#dd2e44', 2.4), ['circle', { cx: 10, cy: 16.5, r: 1.6, fill: '#dd2e44' }]],
  '❗': [line('M10 3v8.5', '#dd2e44', 3), ['circle', { cx: 10, cy: 16.2, r: 1.7, fill: '#dd2e44' }]],
  '🔍': [['circle', { cx: 8, cy: 8, r: 5, fill: '#cfe6f5', stroke: '#6b7683', 'stroke-width': 1.8 }], line('M12 12l5.5 5.5', '#6b7683', 2.6)],
  '🔄': [...tile('#3b82f6', '#2563eb'), line('M6 9a4 4 0 0 1 7.5-1M14 11a4 4 0 0 1-7.5 1M13.8 5.5V8h-2.5M6.2 14.5V12h2.5', '#fff', 1.5)],
  '⬆': [...tile('#3b82f6', '#2563eb'), line('M10 14.5v-9M6.5 9L10 5.5 13.5 9', '#fff')],
  '⬇': [...tile('#3b82f6', '#2563eb'), line('M10 5.5v9M6.5 11l3.5 3.5 3.5-3.5', '#fff')],
  '➕': [line('M10 4v12M4 10h12', '#4a90d9', 3)], '➖': [line('M4 10h12', '#4a90d9', 3)],
  '👤': [['circle', { cx: 10, cy: 6.5, r: 3.8, fill: '#6f7f90' }], shape('M3 18c0-5 3-7 7-7s7 2 7 7z', '#6f7f90')],
  '👋': [shape('M5 10l1.2-5.5 1.6.3.2 3.2L10 3l1.6.4-.6 5 2-4 1.5.7-1.3 5.2 1.5-1 1.3 1.2-3.5 5.5a5 5 0 0 1-7.5-6z', '#f7c948')],
  '📋': [['rect', { x: 4, y: 3, width: 12, height: 15, rx: 1.5, fill: '#b07a3f' }], ['rect', { x: 5.5, y: 5, width: 9, height: 11.5, fill: '#fff' }], line('M7.5 8.5h5M7.5 11h5M7.5 13.5h3', '#9aa3ad', 1.2), ['rect', { x: 7.5, y: 1.8, width: 5, height: 3, rx: 1, fill: '#8899a6' }]],
  '📝': [['rect', { x: 3, y: 2, width: 12, height: 16, rx: 1, fill: '#f5f7f9', stroke: '#9aa3ad' }], line('M5.5 6h7M5.5 9h7M5.5 12h4', '#9aa3ad', 1.2), line('M17 8l-5.5 7', '#f4900c', 2.2)],
  '💬': [shape('M10 3c5 0 8.5 2.7 8.5 6.2S15 15.5 10 15.5c-.8 0-1.6-.1-2.3-.2L3.5 18l.6-4.2C2.4 12.6 1.5 11 1.5 9.2 1.5 5.7 5 3 10 3z', '#c3d0dc')],
  '📈': [['rect', { x: 2, y: 2, width: 16, height: 16, rx: 1.5, fill: '#f5f7f9', stroke: '#9aa3ad' }], line('M4.5 14l4-4 3 2 4.5-6.5', '#dd2e44', 1.8)],
  '📊': [['rect', { x: 2, y: 2, width: 16, height: 16, rx: 1.5, fill: '#f5f7f9', stroke: '#9aa3ad' }], shape('M4.5 10h2.5v6H4.5z', '#4caf50'), shape('M8.7 5h2.5v11H8.7z', '#dd2e44'), shape('M13 8h2.5v8H13z', '#3b82f6')],
  '🚧': [['rect', { x: 1.5, y: 5, width: 17, height: 6.5, rx: 1, fill: '#f4b20c' }], shape('M4 5h3l-3 6.5H1.5V10zM10 5h3l-3.2 6.5h-3zM16 5h2.5v.5l-3 6h-3z', '#3a3d42'), line('M5 11.5V17M15 11.5V17', '#8899a6')],
  '🌊': [shape('M1 14c2-7 7-11 13-8 2.5 1.2 3 3.5 1.5 5-1-2-3-2.5-4.5-1.5 1 3 4 4.5 8 4.5v4H1z', '#3b94d9')],
  '✏': [line('M4 16l1-4 9-9 3 3-9 9z', '#f4900c', 2.4), line('M4 16l2.5-.6', '#3a3d42', 2)],
  '🆕': [...tile('#3b82f6', '#2563eb'), line('M5 13V7l4 6V7M11.5 7.5l1 5 1.5-3.5 1.5 3.5 1-5', '#fff', 1.4)],
  '🗑': [line('M5 6l1 11h8l1-11M3.5 6h13M8 6V3.5h4V6', '#8899a6', 1.8)],
  '🔁': [...tile('#3b82f6', '#2563eb'), line('M5 9.5V8h9M12 5.5L14.5 8 12 10M15 10.5V12H6M8 14.5L5.5 12 8 10', '#fff', 1.4)],
  '⏸': [...tile('#3b82f6', '#2563eb'), line('M8 6.5v7M12 6.5v7', '#fff', 2.2)],
  '👍': [shape('M7 9l3.5-7c1.5 0 2.2 1.2 1.8 2.8L11.8 7.5h4.7c1.2 0 1.8 1 1.4 2.2l-1.9 6c-.3.8-.9 1.3-1.8 1.3H7zM2.5 9H6v8H2.5z', '#f7c948')],
  '🎉': [shape('M2 18L7 6.5l6.5 6.5z', '#f4b20c'), line('M11 6.5c0-2 1-3 2.5-3.5M13.5 9.5c2-.5 3-.5 4.5.5M12.5 7.5l4-4', '#dd2e44', 1.6)],
  '👁': [['path', { d: 'M1 10c4-6.5 14-6.5 18 0-4 6.5-14 6.5-18 0z', fill: '#eef0f3', stroke: '#9aa3ad' }], ['circle', { cx: 10, cy: 10, r: 3.6, fill: '#3b6ea5' }], ['circle', { cx: 10, cy: 10, r: 1.6, fill: '#17181a' }]],
};

const NAMES = Object.fromEntries(Object.entries(UNICODE).map(([name, sign]) => [sign, name]));
const bare = (sign) => sign.replace(/\uFE0F/g, '');
const DRAWN_SIGN = new RegExp(`(?:${Object.keys(DRAWN).join('|')})\\uFE0F?`, 'gu');

function sign(unicode, name) {
  const shapes = DRAWN[bare(unicode)];
  const label = `${name.replaceAll('_', ' ')} emoji`;
  if (!shapes) return h('span', { class: 'emoji', role: 'img', 'aria-label': label, title: `:${name}:` }, unicode);
  // The character stays beneath the drawing: copied text and tests of the page find it.
  return h('span', { class: 'emoji drawn', role: 'img', 'aria-label': label, title: `:${name}:` },
    svg('svg', { viewBox: '0 0 20 20', 'aria-hidden': 'true' }, ...shapes.map(([tag, attributes]) => svg(tag, attributes))),
    h('span', { class: 'emoji-text' }, unicode));
}

/** The node for `:name:`; text with the colons when the name is unknown. */
export function emojiNode(name) {
  const [base] = name.split('::');
  return Object.hasOwn(UNICODE, base) ? sign(UNICODE[base], base) : document.createTextNode(`:${name}:`);
}

/** Text → nodes, with the drawn signs in place of their characters. */
export function textNodes(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(DRAWN_SIGN)) {
    if (match.index > from) nodes.push(text.slice(from, match.index));
    nodes.push(sign(match[0], NAMES[match[0]] ?? NAMES[bare(match[0])] ?? NAMES[`${bare(match[0])}\uFE0F`] ?? 'sign'));
    from = match.index + match[0].length;
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}

/** plain_text with `emoji: true`: names become signs, everything else stays literal. */
export function plainNodes(text, names = true) {
  if (!names) return textNodes(text);
  return text.split(/(:[a-z0-9_+-]+:)/g).flatMap((piece, index) => (index % 2 ? [emojiNode(piece.slice(1, -1))] : textNodes(piece)));
}
