// The scenario's line at the top: what happens now, and how far the story is. A sandbox without a scenario has none.
import { Feed } from './api.js';
import { byId, setText } from './dom.js';

export function followStory() {
  new Feed({
    stream: '/demo/story',
    onEvent: ({ text, step, of, at }) => {
      byId('story').hidden = !text;
      setText(byId('story-text'), text ?? '');
      setText(byId('story-step'), step && of ? `${step} / ${of}` : `${Math.round(at ?? 0)} s`);
      const bar = byId('story-bar');
      bar.hidden = !(step && of);
      bar.max = of || 1;
      bar.value = step || 0;
    },
    onLink: (up) => { if (!up) byId('story').hidden = true; },
    optional: true,
  }).start();
}
