// One candidate: its scores, what it shows, where it comes from, and how it does
// on each example compared with the baseline.

import { ago, brief, card, counted, h, num, pct, range, sides, table, verdict } from './ui.js';
import { get, jobPath } from './api.js';
import { keepFresh, piece } from './live.js';
import { answerOf, demoBox, demoOrigin, exampleTable, promptChanges, toCandidate, toEvaluation } from './story.js';
import { failureTable } from './job.js';

function lineageList(job, lineage) {
  return h('ol', { class: 'chain' }, lineage.ancestors.map((a) => h('li', null,
    toCandidate(job, a.candidate), typeof a.score === 'number' ? [' ', h('b', null, pct(a.score)), h('span', { class: 'muted small' }, ` on ${counted(a.n, 'example')}`)] : '',
    h('div', { class: 'muted small' }, a.reason, a.parents.length > 0 && [' · from ', a.parents.map((p) => [toCandidate(job, p, p), ' '])]))));
}

// Gives what was read already the first time, and loads it again from then on.
const begunWith = (value, load) => async () => { const first = value; value = null; return first ?? load(); };

// Returns a function that asks for the baseline's candidate. It gives null if the
// baseline is not scored yet, or is this candidate.
function otherBaseline(path, n, baseline) {
  return async () => {
    baseline ??= (await get(path)).baseline;
    return baseline && baseline.candidate !== n ? baseline.candidate : null;
  };
}

export async function candidateView(at) {
  const [name, number] = at.parts;
  const path = jobPath(name), s = await get(path), job = s.job;
  const candidate = await get(`${path}/candidates/${number}`);
  const n = candidate.candidate;
  const other = otherBaseline(path, n, s.baseline);
  const lineage = piece(() => get(`${path}/candidates/${n}/lineage`), (l) => [lineageList(job, l),
    l.children.length > 0 && h('p', { class: 'small' }, 'Made from it: ', l.children.map((c) => [toCandidate(job, c.candidate, c.candidate), ' ']))]);
  let changed = null; // made once, so that what is unfolded in it stays unfolded
  const changes = piece(async () => { const b = await other(); return b && !changed ? get(`${path}/candidates/${b}`) : null; },
    (before) => (changed ??= before && card('What it changes', promptChanges(job, before, candidate))));
  const versus = piece(async () => ((await other()) ? get(path + '/compare', { b: n, show: 'changed', limit: 25, share: '' }) : null), (c) => c && card('Beside the baseline', [
    sides([['baseline', c.a], [`candidate ${n}`, c.b, true]]), h('p', null, `${num(c.won)} won, ${num(c.lost)} lost, ${num(c.same)} the same; `, verdict(c.p_value, c.b.score - c.a.score), '.'),
    exampleTable(job, c, c.examples, ['baseline', `candidate ${n}`])]));
  const ask = { limit: 25, offset: 0, show: '' };
  const examples = piece(() => get(`${path}/candidates/${n}/evaluations`, ask), (rows) => [table([
    ['score', (e) => toEvaluation(job, e.evaluation, pct(e.score)), 'n'],
    ['example', (e) => [h('div', { class: 'clip' }, brief(e.inputs)), h('div', { class: 'muted small' }, e.file ? `${e.file}:${e.line}` : `row ${e.row}`, e.share && ` · ${e.share}`, e.replicate > 0 && ' · asked again')], 'text'],
    ['answer', (e) => h('div', { class: 'small clip muted' }, answerOf(e)), 'text'],
  ], rows, { empty: 'none yet' }), h('div', { class: 'bar small' },
    h('button', { type: 'button', disabled: ask.offset === 0, onclick: () => { ask.offset -= ask.limit; examples.refresh(); } }, '← earlier'),
    h('button', { type: 'button', disabled: rows.length < ask.limit, onclick: () => { ask.offset += ask.limit; examples.refresh(); } }, 'later →'))]);
  const wrong = piece(() => get(`${path}/candidates/${n}/failures`), (f) => failureTable(job, f));
  const marks = piece(begunWith(s, () => get(path)), (now) => [
    now.best?.candidate === n && h('span', { class: 'pill done' }, 'best'), ' ', now.baseline?.candidate === n && h('span', { class: 'pill' }, 'baseline')]);
  const trials = piece(begunWith(candidate, () => get(`${path}/candidates/${n}`)), (now) => table([
    ['trial', (t) => num(t.trial), 'n'], ['kind', (t) => t.kind], ['score', (t) => pct(t.score), 'n'], ['baseline', (t) => pct(t.baseline), 'n'], ['examples', (t) => num(t.n), 'n'],
  ], now.trials));
  keepFresh(at, job, [marks, changes, lineage, trials, versus, wrong, examples]);
  document.title = `candidate ${n} · ${s.name}`;
  return [
    h('p', { class: 'small' }, h('a', { href: '#/jobs/' + encodeURIComponent(job) }, s.name), ' / ', h('a', { href: `#/jobs/${encodeURIComponent(job)}/trials` }, 'trials')),
    h('div', { class: 'head' }, h('h1', null, `Candidate ${n}`), marks.el),
    h('p', { class: 'muted small' }, candidate.reason, ' · made ', ago(candidate.created)),
    changes.el,
    h('div', { class: 'grid' }, card('Where it comes from', lineage.el), card('Its trials', trials.el)),
    versus.el,
    card('What goes wrong with it', wrong.el),
    card('Every example that it was scored on', examples.el),
    card('Its full prompts', candidate.parts.map((p) => [h('h3', null, p.step), h('div', { class: 'message' }, h('pre', null, p.instruction)), p.demos.length > 0 && h('details', null, h('summary', null, counted(p.demos.length, 'demo')), p.demos.map((d, i) => demoBox(d, false, demoOrigin(job, n, p.step, i))))]))];
}
