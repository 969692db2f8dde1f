// The workers: what they are doing now, and how they have done recently.

import { ago, card, h, num, pill, span, table } from './ui.js';
import { get } from './api.js';

// How a worker has done recently. If its server does not say what it reused, no
// share is shown.
const did = [
  ['tokens per second', (p) => num(p.tokens_per_s), 'n wide'],
  ['per call', (p) => span(p.seconds), 'n wide'],
  ['prompt cached', (p) => (typeof p.cached_tokens === 'number' && p.prompt_tokens > 0 ? (100 * p.cached_tokens / p.prompt_tokens).toFixed(0) + ' %' : '–'), 'n wide'],
];

export async function workersView(at) {
  const box = h('div');
  async function draw() {
    const [here, past] = await Promise.all([get('/workers'), get('/workers/history')]);
    const of = (w) => past.find((p) => p.name === w.name) ?? {};
    const gone = past.filter((p) => !here.some((w) => w.name === p.name));
    if (!at.alive()) return;
    box.replaceChildren(
      card('Connected now', table([
        ['worker', (w) => [w.name, h('div', { class: 'muted small' }, w.server)]],
        ['state', (w) => [pill(w.state), w.reason && h('div', { class: 'muted small' }, w.reason)], 'text'],
        ['busy', (w) => [`${num(Math.min(w.open, w.slots))} of ${num(w.slots)}`, w.open > w.slots && h('div', { class: 'muted small' }, `${num(w.open - w.slots)} more sent ahead`)], 'n'],
        ['models', (w) => w.models.join(', '), 'text wide'],
        ['calls', (w) => num(w.calls), 'n'],
        ...did.map(([title, cell, cls]) => [title, (w) => cell(of(w)), cls]),
        ['faults', (w) => [num(w.faults), w.last_fault && h('div', { class: 'muted small' }, w.last_fault)], 'text'],
      ], here, { empty: 'no worker: start one with `promptcc worker --coordinator tcp://HOST:PORT --ollama URL`' })),
      gone.length > 0 ? card('Gone', table([['worker', (p) => p.name], ['recent calls', (p) => num(p.calls), 'n'], ...did, ['last', (p) => ago(p.last)]], gone)) : '');
  }
  await draw();
  const timer = setInterval(() => draw().catch(() => {}), 2000);
  at.onLeave(() => clearInterval(timer));
  document.title = 'Workers · promptcc';
  return [h('h1', null, 'Workers'), box];
}
