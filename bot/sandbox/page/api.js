// Requests to the local Slack and the simulated sites, and streams that mend themselves.

/** POST JSON; answers the server's JSON, or {ok: false, error} in words when there is no answer. */
export async function post(path, body) {
  let response;
  try {
    response = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  } catch {
    return { ok: false, error: 'the sandbox does not answer', gone: true };
  }
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer ?? { ok: true };
  return { ok: false, error: answer?.error ?? `HTTP ${response.status}` };
}

export async function getJson(path) {
  const response = await fetch(path, { cache: 'no-store' });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

const HIDDEN_GRACE = 10_000;

/**
 * Follows `stream` and, at each (re)connection, reads `state` first. What arrives while the state is being read waits
 * and is applied on top of it, so nothing falls between the two. An `optional` stream that was never there is let be.
 * EventSource alone would reconnect, but never after an HTTP error and without telling anyone.
 */
export class Feed {
  constructor({ stream, state, onState, onEvent, onLink, optional = false }) {
    Object.assign(this, { stream, state, onState, onEvent, onLink, optional });
    this.pause = 500;
    this.generation = 0;
    this.source = null;
    this.opened = false;
    this.given = false;
  }

  /** Opens the stream, and closes it while nobody looks: a browser has six connections for all tabs of one origin. */
  start() {
    let hiding;
    document.addEventListener('visibilitychange', () => {
      clearTimeout(hiding);
      if (document.hidden) hiding = setTimeout(() => this.close(), HIDDEN_GRACE);
      else if (!this.source) this.open();
    });
    this.open();
  }

  close() {
    this.generation += 1;
    this.source?.close();
    this.source = null;
  }

  open() {
    if (this.given) return;
    this.close();
    const mine = this.generation;
    const source = new EventSource(this.stream);
    let waiting = [];
    this.source = source;
    source.onopen = async () => {
      this.opened = true;
      let state = null;
      try {
        if (this.state) state = await getJson(this.state);
      } catch {
        this.again(mine);
        return;
      }
      if (mine !== this.generation) return;
      if (state) this.onState(state);
      this.pause = 500;
      this.onLink?.(true);
      const events = waiting;
      waiting = null;
      events.forEach((event) => this.onEvent(event));
    };
    source.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (waiting) waiting.push(event);
      else this.onEvent(event);
    };
    source.onerror = () => this.again(mine);
  }

  again(mine) {
    if (mine !== this.generation) return;
    this.close();
    this.onLink?.(false);
    this.given = this.optional && !this.opened;
    const next = this.generation;
    setTimeout(() => { if (next === this.generation) this.open(); }, this.pause);
    this.pause = Math.min(this.pause * 1.6, 5000);
  }
}
