// The scenario's line at the top: what happens now, and how far the story is. A sandbox without a scenario has none.
import { Feed, post } from './api.js';
import { byId, setText } from './dom.js';

const DOES = { told: ['pause', 'Pause'], paused: ['go-on', 'Go on'], over: ['again', 'Play the story again'] };

export function followStory() {
  const button = byId('story-do');
  button.addEventListener('click', () => post(`/demo/story/${button.dataset.does}`, {}));
  new Feed({
    stream: '/demo/story',
    onEvent: ({ text, step, of, at, how }) => {
      const [does, words] = DOES[how] ?? [];
      button.hidden = !does;
      button.dataset.does = does ?? '';
      setText(button, words ?? '');
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
