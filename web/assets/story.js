// What a job did, for a reader who sees it for the first time: what ran, what was
// gained and how sure that is, what changed in the prompts, which examples
// flipped. Every score links to the calls behind it.

import { brief, card, counted, h, named, num, pct, points, sides, span, table, verdict } from './ui.js';
import { get, jobPath } from './api.js';
import { sideBySide } from './diff.js';

export const toEvaluation = (job, id, what) => (id ? h('a', { href: `#/jobs/${encodeURIComponent(job)}/evaluations/${id}` }, what) : what);
const candidateAt = (job, id) => `#/jobs/${encodeURIComponent(job)}/candidates/${id}`;
export const toCandidate = (job, id, what) => h('a', { href: candidateAt(job, id) }, what ?? `candidate ${id}`);

function whatRan(s) {
  const doc = s.document, student = s.models.find((m) => m.role === 'student'), teacher = s.models.find((m) => m.role === 'teacher');
  const optimizer = doc?.optimizer ?? Object.keys(s.canonical?.optimizer ?? {})[0] ?? 'the optimizer';
  const metric = Object.entries(s.canonical?.metric ?? {})[0];
  return h('p', null, h('b', null, optimizer), s.state === 'running' ? (s.best ? ' is trying other instructions and demos for ' : ' will look for better instructions and demos for ') : s.trials === 0 ? ' has not finished a trial yet. It looks for better instructions and demos for ' : [' ran ', counted(s.trials, 'trial'), ', including those of the program as written, for '],
    h('b', null, student?.name ?? s.canonical?.models?.student ?? 'the model'), teacher && teacher.name !== student?.name ? [', with ', teacher.name, ' as its teacher'] : '',
    metric ? [', scored by ', h('code', null, metric[0] + (typeof metric[1] === 'string' ? `: ${metric[1]}` : ''))] : '',
    s.calls > 0 ? `. ${s.state === 'running' ? 'So far that took' : 'That took'} ${counted(s.calls, 'call')} and ${span(s.wall_s)}` : '', '.');
}

const examplesAt = (job, query) => `#/jobs/${encodeURIComponent(job)}/examples?${query}`;
const toExamples = (job, query, what) => h('a', { href: examplesAt(job, query) }, what);

// Returns the best as the search has it: the same figures as in the list of jobs
// and in the progress. While a job runs, that candidate may have been scored on
// more examples by now; they count once the search has judged them.
function figures(s, c) {
  const b = s.best;
  if (typeof b.low !== 'number') return { ...c, settled: true };
  return { n: b.n, p_value: b.p_value, a: { ...c.a, score: b.baseline, low: b.baseline_low, high: b.baseline_high }, b: { ...c.b, score: b.score, low: b.low, high: b.high }, settled: b.n === c.n };
}

function claim(s, c) {
  const f = figures(s, c), gain = f.b.score - f.a.score;
  if (c.a.candidate === c.b.candidate) return [h('p', { class: 'claim' }, 'The program as written is still the best: ', h('b', null, pct(f.b.score)), ` on ${counted(f.n, 'example')}`),
    sides([['baseline', f.b, false, candidateAt(s.job, c.a.candidate)]])];
  return [
    h('p', { class: 'claim' }, `From ${pct(f.a.score)} to `, h('b', null, pct(f.b.score)), ` on ${counted(f.n, 'example')}`),
    sides([['baseline', f.a, false, candidateAt(s.job, c.a.candidate)], ['best', f.b, true, candidateAt(s.job, c.b.candidate)]]),
    h('p', null, h('b', null, `${points(gain)} points, `), verdict(f.p_value, gain), '. ',
      f.settled ? [toExamples(s.job, 'show=won', `${counted(c.won, 'example')} became right or better`), ', ', toExamples(s.job, 'show=lost', `${num(c.lost)} worse`), ', ',
        toExamples(s.job, 'show=same', `${num(c.same)} stayed`), '.'] : toExamples(s.job, 'show=', 'Each example so far')),
    h('p', { class: 'muted small' }, 'The bars are 95 % intervals: with other examples of the same kind, the score would mostly lie within them. The search picked the best of many on these very examples, which flatters it a little; examples that it never saw say more.'),
  ];
}

function onTest(job, doc, s) {
  const test = doc?.test;
  if (!test) return h('p', { class: 'muted' }, !s.shares.some((x) => x.share.includes('test')) ? 'No test share was set aside, so there is no score on examples that the search has not seen.'
    : s.state === 'done' ? ['The test share was not scored', doc?.reason ? [': ', named(doc.reason)] : '', '.'] : 'The test share is scored at the end.');
  const gain = test.compiled.score - test.baseline.score, behind = examplesAt(job, 'share=test&show=');
  return [h('h3', null, `On the test share, which the search never saw (${counted(test.compiled.n, 'example')})`),
    sides([['baseline', test.baseline, false, behind], ['compiled', test.compiled, true, behind]]),
    h('p', null, h('b', null, `${points(gain)} points, `), verdict(test.p_value, gain), '. ', toExamples(job, 'share=test&show=', 'Each example'))];
}

// Which calls a candidate's prompts came from. It is found in the texts of the
// calls, so it is asked for only once, and appears after the prompts.
const asked = new Map();

function originsOf(job, candidate) {
  const key = `${job} ${candidate}`;
  if (!asked.has(key)) asked.set(key, get(`${jobPath(job)}/candidates/${candidate}/origins`).catch(() => { asked.delete(key); return { parts: [] }; }));
  return asked.get(key);
}

function originOf(job, candidate, step, draw) {
  const el = h('div', { class: 'small muted origin' });
  originsOf(job, candidate).then((o) => {
    const part = o.parts.find((p) => p.step === step), shown = part && draw(part);
    el.replaceChildren(...[shown].flat(4).filter(Boolean));
  });
  return el;
}

const toCall = (job, id) => h('a', { href: `#/jobs/${encodeURIComponent(job)}/calls/${id}` }, `call ${num(id)}`);
const writers = (job, calls) => calls.length > 0 && ['Words of the teacher from ', calls.slice(0, SHOWN).map((id, i) => [i > 0 && ', ', toCall(job, id)]), calls.length > SHOWN && ` and ${num(calls.length - SHOWN)} more`];
const instructionOrigin = (job, candidate, step) => originOf(job, candidate, step, (part) => writers(job, part.instruction));
export const demoOrigin = (job, candidate, step, i) => originOf(job, candidate, step, (part) => (part.demos[i] ? ['from ', toCall(job, part.demos[i])] : 'from the data'));

export function promptChanges(job, before, after) {
  const parts = after.parts.map((part) => {
    const was = before.parts.find((p) => p.step === part.step) ?? { instruction: '', demos: [] };
    const same = was.instruction === part.instruction;
    const demos = part.demos.filter((d) => !was.demos.some((e) => JSON.stringify(e) === JSON.stringify(d)));
    if (same && demos.length === 0 && part.demos.length === was.demos.length) return null;
    return [h('h3', null, part.step),
      same ? h('p', { class: 'muted' }, 'The instruction is as written.') : [sideBySide(was.instruction, part.instruction, `baseline`, `candidate ${after.candidate}`), instructionOrigin(job, after.candidate, part.step)],
      part.demos.length > 0 && h('details', { open: part.demos.length <= 2 || undefined }, h('summary', null, `${counted(part.demos.length, 'demo')} shown to the model, ${num(demos.length)} new`),
        part.demos.map((d, i) => demoBox(d, demos.includes(d), demoOrigin(job, after.candidate, part.step, i)))),
      part.demos.length === 0 && was.demos.length > 0 && h('p', { class: 'muted' }, `Its ${counted(was.demos.length, 'demo')} are gone.`)];
  }).filter(Boolean);
  const tuned = Object.entries(after.tuned ?? {});
  if (tuned.length > 0) parts.unshift(h('p', null, 'Settings: ', tuned.map(([k, v]) => h('code', null, `${k} = ${JSON.stringify(v)} `))));
  return parts.length > 0 ? parts : h('p', { class: 'muted' }, 'Nothing: the prompts are as written.');
}

export function demoBox(demo, isNew, origin) {
  return h('div', { class: 'demo' + (isNew ? ' new' : '') }, origin, h('dl', null, Object.entries(demo).filter(([k]) => k !== 'augmented').map(([k, v]) => [
    h('dt', null, k), h('dd', null, typeof v === 'string' ? v : JSON.stringify(v))])));
}

// Returns a reply without the markers of its fields: "intent: escalate · sure: 0.8".
export const answerOf = (side) => (side.outcome !== 'done' && side.reason ? side.reason : (side.answer ?? '').replace(/\[\[ ## completed ## \]\]\s*/g, '').trim().replace(/\s*\[\[ ## (\w+) ## \]\]\s*/g, (_, name, at) => (at > 0 ? ' · ' : '') + name + ': '));

export function exampleTable(job, c, examples, names = ['baseline', 'best']) {
  return table([
    ['', (e) => h('span', { class: 'pill ' + e.change }, e.change)],
    ['example', (e) => [h('div', { class: 'clip' }, brief(e.inputs)), h('div', { class: 'muted small' }, e.file ? `${e.file}:${e.line}` : `row ${e.row}`, e.labels && [' · right: ', brief(e.labels)])], 'text'],
    [names[0], (e) => [toEvaluation(job, e.a.evaluation, pct(e.a.score)), h('div', { class: 'small clip muted' }, answerOf(e.a))], 'text'],
    [names[1], (e) => [toEvaluation(job, e.b.evaluation, pct(e.b.score)), h('div', { class: 'small clip muted' }, answerOf(e.b))], 'text'],
  ], examples, { empty: 'no example matches', stack: true });
}

// The first calls of a group of failures, and how many more there are.
const SHOWN = 6;
export const callsBehind = (job, group) => [group.evaluations.slice(0, SHOWN).map((id) => [toEvaluation(job, id, String(id)), ' ']), group.n > SHOWN && h('span', { class: 'muted' }, `and ${num(group.n - SHOWN)} more`)];

// Scores of `eval` are a separate job, without trials.
export const isEvaluation = (s) => typeof s.document?.score === 'number' && !s.document.compiled;

async function evaluationStory(job, s) {
  const path = `${jobPath(job)}/candidates/${s.document.candidate}`;
  const [rows, failures] = await Promise.all([get(path + '/evaluations', { limit: 100 }), get(path + '/failures')]);
  const wrong = rows.filter((r) => r.score < 1);
  return [
    card(null, h('h2', { class: 'muted small' }, 'Scored by eval'), h('p', { class: 'claim' }, h('b', null, pct(s.document.score)), ` on ${counted(s.document.n, 'example')}`), sides([['score', s.document, true]])),
    card('What goes wrong', table([['examples', (g) => num(g.n), 'n'], ['why', (g) => (g.reason ? named(g.reason) : g.kind), 'text'],
      ['calls behind it', (g) => callsBehind(job, g), 'wide']], failures.groups, { empty: 'nothing: every example has the full score' })),
    card(rows.length < s.document.n ? 'The first examples' : 'Every example', table([['score', (r) => toEvaluation(job, r.evaluation, pct(r.score)), 'n'], ['example', (r) => h('div', { class: 'clip' }, brief(r.inputs)), 'text'], ['answer', (r) => h('div', { class: 'small clip muted' }, answerOf(r)), 'text']], [...wrong, ...rows.filter((r) => !(r.score < 1))]))];
}

// Makes a sentence of what a program said.
const sentence = (text) => text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');

// Returns the parts of the story, or what there is so far.
export async function story(job) {
  const path = jobPath(job), s = await get(path);
  const notes = [
    s.simulated && h('div', { class: 'note' }, 'A stand-in answered instead of a model: these scores say nothing about a real one.'),
    s.reason && s.state !== 'done' && h('div', { class: 'note' + (s.state === 'failed' ? ' bad' : '') }, named(sentence(s.reason)), s.state !== 'failed' && ' Or press Resume.'),
  ];
  if (isEvaluation(s)) return [notes, await evaluationStory(job, s)];
  if (!s.best || !s.baseline) return [notes, card('What ran', whatRan(s), h('p', { class: 'muted' }, 'The baseline is not scored yet: what was gained appears here with the first trials.'))];
  const [c, before, after] = await Promise.all([get(path + '/compare', { show: 'changed', limit: 12 }), get(path + '/candidates/' + s.baseline.candidate), get(path + '/candidates/' + s.best.candidate)]);
  const more = `#/jobs/${encodeURIComponent(job)}/examples`;
  return [notes,
    card(null, h('h2', { class: 'muted small' }, 'What was gained, and how sure that is'), claim(s, c), onTest(job, s.document, s)),
    card('What ran', whatRan(s), h('p', { class: 'small' }, h('a', { href: `#/jobs/${encodeURIComponent(job)}/trials` }, 'All trials'), ' · ', h('a', { href: `#/jobs/${encodeURIComponent(job)}/cost` }, 'What it cost'))),
    card('What changed in the prompts', promptChanges(job, before, after), s.best.candidate !== s.baseline.candidate && h('p', { class: 'small' }, toCandidate(job, s.best.candidate, 'Where this candidate comes from'))),
    card('Which examples flipped', c.examples.length > 0 ? exampleTable(job, c, c.examples) : h('p', { class: 'muted' }, c.a.candidate === c.b.candidate ? 'None: the best program is the one as written.' : 'None: each example scored as before.'), h('p', { class: 'small' }, h('a', { href: more }, `All ${counted(c.n, 'example')}, and what still goes wrong`)))];
}
