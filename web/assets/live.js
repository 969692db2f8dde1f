// A piece of a view that is read again when there is news of its job.

import { h, fail } from './ui.js';
import { news } from './api.js';

const PAUSE_MS = 300; // between two readings while a job runs

// Returns a text that changes whenever the job has changed.
export function stampOf(job) {
  const entry = news.jobs.find((j) => j.job === job);
  return entry ? [entry.state, entry.updated, entry.trial, entry.ended, entry.best].join() : '';
}

// Returns an element that shows draw(await load()); refresh() reads again.
export function piece(load, draw) {
  const el = h('div', { 'aria-busy': 'true' }, h('p', { class: 'muted' }, 'Loading…'));
  let busy = false, again = false;
  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      el.replaceChildren(...[draw(await load())].flat(5).filter(Boolean));
    } catch (error) {
      el.replaceChildren(fail(error));
    }
    el.removeAttribute('aria-busy');
    busy = false;
    if (again) { again = false; setTimeout(refresh, PAUSE_MS); }
  }
  refresh();
  return { el, refresh };
}

// Refreshes pieces when the job has changed, at most about twice a second.
export function keepFresh(at, job, pieces) {
  let seen = stampOf(job), timer = null;
  at.onNews(() => {
    const stamp = stampOf(job);
    if (stamp === seen || timer) return;
    timer = setTimeout(() => {
      timer = null;
      seen = stampOf(job);
      pieces.forEach((p) => p.refresh());
    }, seen === '' ? 0 : PAUSE_MS / 2);
    if (seen === '') seen = stamp;
  });
  at.onLeave(() => clearTimeout(timer));
}
