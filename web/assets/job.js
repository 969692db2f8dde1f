// One job: its head with progress and commands, and a tab for each question.

import { ago, card, counted, fail, h, left, named, num, pager, pct, pill, range, span, table } from './ui.js';
import { bestOf, get, jobPath, news, post } from './api.js';
import { piece, keepFresh } from './live.js';
import { curveChart, importanceBars, tokensChart } from './charts.js';
import { tryTab } from './try.js';
import { callsBehind, exampleTable, isEvaluation, story, toCandidate } from './story.js';

const tabs = [
  ['', 'Result', resultTab], ['trials', 'Trials', trialsTab], ['examples', 'Examples', examplesTab], ['try', 'Try it', tryTab], ['cost', 'Cost and events', costTab],
];

// --- head ---

export function progress(job) {
  const now = news.status?.jobs.find((j) => j.job === job), best = bestOf(job);
  if (!now) return null;
  return h('div', { class: 'card' },
    h('div', { class: 'bar' }, h('b', null, now.phase || 'running'), h('span', { class: 'muted' }, now.note), h('span', { class: 'grow' }),
      h('span', { class: 'muted' }, left(now.left_ms))),
    news.status.workers?.serving === 0 && h('div', { class: 'note' }, 'No worker serves, so the job waits. Start one: ', h('code', null, 'promptcc worker --coordinator tcp://HOST:PORT --ollama URL')),
    now.share === null ? h('progress', { class: 'meter', 'aria-label': 'Progress' }) : h('progress', { class: 'meter', max: 1, value: now.share, 'aria-label': 'Progress' }),
    h('div', { class: 'stats' }, stat(now.trials > 0 ? `${num(now.trial)} of ${num(now.trials)}` : num(now.trial), 'trials'), stat(now.expected > now.examples ? `${num(now.examples)} of about ${num(now.expected)}` : num(now.examples), 'examples'), stat(pct(best?.score), best ? `best so far (${range(best)})${best.best ? `, trial ${num(best.best)}` : ''}` : 'best so far'),
      stat(pct(best?.baseline), 'baseline'), stat(num(now.calls), `calls, ${num(now.reused)} reused`), stat(num(now.in_flight), 'in flight'), stat(num(now.tokens_per_s), 'tokens per second'), now.faults > 0 && stat(num(now.faults), 'faults')));
}

const stat = (value, name) => h('div', null, h('b', null, value), h('span', null, name));

function commands(job, state, exports, says) {
  const act = (verb, label) => h('button', { type: 'button', onclick: async (event) => {
    event.target.disabled = true;
    try {
      await post(`${jobPath(job)}/${verb}`);
      says.replaceChildren(h('p', { class: 'muted small', role: 'status' }, verb === 'resume' ? 'The job continues.' : `It ${verb}s after saving; nothing that was paid for is lost.`));
    } catch (error) { says.replaceChildren(fail(error)); }
    event.target.disabled = false;
  } }, label);
  return [state === 'running' || state === 'queued' ? [act('pause', 'Pause'), act('stop', 'Stop')] : state !== 'done' && act('resume', 'Resume'),
    exports && h('a', { class: 'button', href: `/api/v1${jobPath(job)}/compiled`, download: 'compiled.json' }, 'Export')];
}

// What the job may have of a cluster, if that is not the default.
const USUAL_PRIORITY = 10;
const share = (s) => [s.priority && s.priority !== USUAL_PRIORITY && ` · priority ${num(s.priority)}`, s.max_workers && ` · at most ${num(s.max_workers)} worker${s.max_workers === 1 ? '' : 's'}`];

function head(at, job, summary) {
  const says = h('div'), live = h('div'), buttons = h('span', { class: 'bar' }), state = h('span');
  let last = '';
  const draw = () => {
    const told = news.jobs.find((j) => j.job === job), now = told?.state ?? summary.state;
    const exports = Boolean(told?.best || summary.best || summary.compiled); // otherwise there is nothing yet
    live.replaceChildren(...[progress(job)].filter(Boolean));
    if (now + exports === last) return;
    last = now + exports;
    state.replaceChildren(pill(now));
    buttons.replaceChildren(...[commands(job, now, exports, says)].flat(3).filter(Boolean));
  };
  draw();
  at.onNews(draw);
  return [h('div', { class: 'head' }, h('h1', null, summary.name), state, summary.simulated && h('span', { class: 'pill' }, 'stand-in'), h('span', { class: 'grow' }), buttons),
    h('p', { class: 'muted small' }, summary.job, ' · ', summary.path, ' · started ', ago(summary.created), share(summary)), says, live];
}

export async function jobView(at) {
  const [name, asked = ''] = at.parts;
  const summary = await get(jobPath(name)), job = summary.job;
  const base = '#/jobs/' + encodeURIComponent(job);
  const here = isEvaluation(summary) ? tabs.filter(([key]) => key === '' || key === 'cost') : tabs;
  const [tab, , draw] = here.find(([key]) => key === asked) ?? here[0];
  document.title = `${summary.name} · promptcc`;
  return [head(at, job, summary),
    h('nav', { class: 'tabs', 'aria-label': 'Of this job' }, here.map(([key, label]) => h('a', { href: base + (key && '/' + key), 'aria-current': key === tab ? 'page' : undefined }, label))),
    draw(at, job, summary)];
}

// --- result ---

function resultTab(at, job) {
  const told = piece(() => story(job), (parts) => parts);
  keepFresh(at, job, [told]);
  return told.el;
}

// --- trials ---

const LIMIT = 50;

function trialsTab(at, job) {
  const path = jobPath(job);
  const open = (p) => { location.hash = `#/jobs/${encodeURIComponent(job)}/candidates/${p.candidate}`; };
  const curve = piece(() => get(path + '/curve'), (c) => curveChart(c, open));
  const tokens = piece(() => get(path + '/tokens'), (rows) => tokensChart(rows, open));
  const weights = piece(() => get(path + '/importance'), importanceBars);
  const ask = { sort: 'trial', order: 'desc', offset: 0, limit: LIMIT, kind: '', state: '', above: '' };
  const rows = piece(async () => { const asked = { ...ask }; return { ...await get(path + '/trials', asked), asked }; }, (page) => trialTable(job, page, ask, rows.refresh));
  keepFresh(at, job, [curve, rows, tokens, weights]);
  return [card('Score over trials', h('p', { class: 'muted small' }, 'Bars are 95 % intervals. Point at a trial to see it, click to open its candidate; drag to zoom, double-click to see all.'), curve.el),
    h('div', { class: 'grid' },
      card('What matters', h('p', { class: 'muted small' }, 'How much of the difference between trials each choice explains, beyond chance.'), weights.el),
      card('Score against the length of the prompt', h('p', { class: 'muted small' }, 'The shortest prompt that gains as much is the cheapest in production.'), tokens.el)),
    card('Trials', filters(ask, rows.refresh), rows.el)];
}

function filters(ask, refresh) {
  const set = (key, value) => { ask[key] = value; ask.offset = 0; refresh(); };
  const choose = (key, label, values) => h('label', null, label, ' ', h('select', { onchange: (e) => set(key, e.target.value), 'data-filter': key === 'kind' },
    values.map((v) => h('option', { value: v }, v || 'all'))));
  return h('div', { class: 'bar' }, choose('kind', 'Kind', ['', 'baseline', 'full', 'minibatch', 'pruned']), choose('state', 'State', ['', 'done', 'running', 'incomplete']),
    h('label', null, 'At least ', h('input', { type: 'number', min: 0, max: 100, step: 1, size: 5, 'aria-label': 'Lowest score in percent',
      onchange: (e) => set('above', e.target.value === '' ? '' : Number(e.target.value) / 100) }), ' %'));
}

const choices = (of) => Object.entries(of ?? {}).filter(([, v]) => v !== 0).map(([k, v]) => `${k} ${v}`).join(', ') || 'as written';

function trialTable(job, page, ask, refresh) {
  return [table([
    ['trial', (t) => num(t.trial), 'n', 'trial'],
    ['score', (t) => [h('b', null, pct(t.score)), ' ', h('span', { class: 'muted small' }, range(t) && `(${range(t)})`)], 'n', 'score'],
    ['gain', (t) => (typeof t.score === 'number' && typeof t.baseline === 'number' ? ((t.score - t.baseline) * 100).toFixed(1) : '–'), 'n', 'gain'],
    ['examples', (t) => num(t.n), 'n wide', 'n'],
    ['kind', (t) => t.kind, 'wide', 'kind'], ['state', (t) => t.state, 'wide', 'state'],
    ['candidate', (t) => toCandidate(job, t.candidate, t.candidate), 'n', 'candidate'],
    ['instructions', (t) => choices(t.instructions), 'wide'], ['demos', (t) => choices(t.demos), 'wide'],
    ...(page.trials.some((t) => Object.keys(t.tuned ?? {}).length > 0) ? [['settings', (t) => Object.entries(t.tuned ?? {}).map(([k, v]) => `${k} ${JSON.stringify(v)}`).join(', '), 'wide']] : []),
    ['calls', (t) => num(t.calls), 'n wide', 'calls'], ['tokens', (t) => num(t.tokens), 'n wide', 'tokens'],
  ], page.trials, { sort: page.asked.sort, order: page.asked.order, empty: 'no trial matches', onsort: (key) => {
    ask.order = ask.sort === key && ask.order === 'desc' ? 'asc' : 'desc';
    ask.sort = key; ask.offset = 0; refresh();
  } }), pager(page.total, page.asked.offset, page.asked.limit, (offset) => { ask.offset = offset; refresh(); })];
}

// --- examples ---

// A job without a finished trial is not an error.
function notYet(error) {
  if (!/no finished trial yet/.test(error.message)) throw error;
  return { early: h('p', { class: 'muted' }, 'The baseline is not scored yet: the examples appear here with the first trials.') };
}

function examplesTab(at, job) {
  const ask = { share: at.query.get('share') ?? 'val', show: at.query.get('show') ?? 'changed', a: at.query.get('a') ?? '', b: at.query.get('b') ?? '', limit: 25, offset: 0 };
  const path = jobPath(job);
  const versus = piece(() => get(path + '/compare', ask).catch(notYet), (c) => c.early ?? [
    c.a.candidate === c.b.candidate ? h('p', null, `The best program is the one as written, so there is nothing to compare: ${pct(c.a.score)} on ${counted(c.n, 'example')}.`) : h('p', null, `${counted(c.won, 'example')} won, ${num(c.lost)} lost, ${num(c.same)} the same, of ${num(c.n)} that both were scored on: ${pct(c.a.score)} to ${pct(c.b.score)} (p = ${c.p_value.toPrecision(2)}).`),
    exampleTable(job, c, c.examples, [`candidate ${c.a.candidate}`, `candidate ${c.b.candidate}`]),
    pager(c.total, ask.offset, ask.limit, (offset) => { ask.offset = offset; versus.refresh(); })]);
  const wrong = piece(() => get(`${path}/candidates/${ask.b || 'best'}/failures`, { share: ask.share }).catch(notYet), (f) => f.early ?? failureTable(job, f));
  const set = (key, value) => { ask[key] = value; ask.offset = 0; versus.refresh(); if (key !== 'show') wrong.refresh(); };
  const choose = (key, label, values) => h('label', null, label, ' ', h('select', { onchange: (e) => set(key, e.target.value), 'data-filter': key === 'show' },
    values.map(([v, text]) => h('option', { value: v, selected: v === ask[key] || undefined }, text))));
  keepFresh(at, job, [versus, wrong]);
  return [card('Baseline and best, example by example', h('div', { class: 'bar' },
    choose('show', 'Show', [['changed', 'what changed'], ['won', 'won'], ['lost', 'lost'], ['same', 'the same'], ['', 'all']]),
    choose('share', 'Share', [['val', 'validation'], ['test', 'test'], ['train', 'training'], ['all', 'all']])), versus.el),
    card('What still goes wrong', h('p', { class: 'muted small' }, 'With the best candidate, grouped by the metric’s own words. Each number is an example and leads to its calls.'), wrong.el)];
}

export function failureTable(job, failures) {
  return table([
    ['examples', (g) => num(g.n), 'n'], ['kind', (g) => (g.outcome === 'done' ? g.kind : g.outcome)], ['why', (g) => (g.reason ? named(g.reason) : '–'), 'text'],
    ['calls behind it', (g) => callsBehind(job, g), 'wide'],
  ], failures.groups, { empty: 'nothing: every example has the full score' });
}

// --- cost ---

function costTab(at, job) {
  const path = jobPath(job);
  const cost = piece(() => get(path + '/cost'), (rows) => {
    const total = (key) => rows.reduce((n, r) => n + (r[key] ?? 0), 0);
    return [h('div', { class: 'stats' }, stat(num(total('calls')), 'calls'), stat(num(total('prompt_tokens')), 'prompt tokens'), stat(num(total('generated_tokens')), 'generated tokens'), stat(span(total('model_s')), 'of model servers')),
      table([['role', (r) => r.role], ['for', (r) => r.purpose], ['model', (r) => r.model, 'wide'], ['calls', (r) => num(r.calls), 'n'], ['prompt tokens', (r) => num(r.prompt_tokens), 'n'],
        ['of them cached', (r) => (r.cached_tokens === null ? '–' : num(r.cached_tokens)), 'n wide'], ['generated', (r) => num(r.generated_tokens), 'n'], ['twice', (r) => num(r.hedged), 'n wide'], ['time', (r) => span(r.model_s), 'n']], rows)];
  });
  const events = piece(() => get(path + '/events'), (rows) => table([['when', (e) => h('time', { datetime: e.at, title: e.at }, ago(e.at))], ['what', (e) => e.kind], ['', (e) => e.text, 'text'], ['example', (e) => e.row ?? '', 'n']], rows, { empty: 'nothing happened' }));
  keepFresh(at, job, [cost, events]);
  return [card('What it cost, by role', cost.el), card('What happened', events.el)];
}
