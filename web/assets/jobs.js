// All jobs, and the story of the latest one.

import { ago, card, counted, h, left, named, pct, pill, range, table } from './ui.js';
import { bestOf, get, news } from './api.js';
import { progress } from './job.js';
import { piece, keepFresh } from './live.js';
import { story } from './story.js';

const link = (job) => '#/jobs/' + encodeURIComponent(job);

function progressCell(job) {
  const now = news.status?.jobs.find((j) => j.job === job.job);
  if (!now) return job.trials === 0 && typeof job.score === 'number' ? 'an evaluation' : counted(job.trials, 'trial');
  if (news.status.workers?.serving === 0) return 'waits for a worker';
  return [[now.phase || 'begins', now.share !== null && `${Math.floor(100 * now.share)} %`, left(now.left_ms)].filter(Boolean).join(', ')];
}

function scoreCell(job) {
  const sure = job.state === 'done' ? job : bestOf(job.job) ?? job;
  return typeof sure.score === 'number' ? [h('b', null, pct(sure.score)), ' ', h('span', { class: 'muted small' }, range(sure) && `(${range(sure)})`)] : '–';
}

const columns = [
  ['job', (j) => [h('a', { href: link(j.job) }, j.name), j.simulated && [' ', h('span', { class: 'pill' }, 'stand-in')],
    h('div', { class: 'muted small wide' }, j.job)]],
  ['state', (j) => [pill(j.state), j.reason && h('div', { class: 'muted small wide clip' }, named(j.reason))]],
  ['best score', scoreCell, 'n'],
  ['progress', progressCell],
  ['changed', (j) => h('time', { datetime: j.updated, title: j.updated }, ago(j.updated)), 'wide'],
];

export async function jobsView(at) {
  let jobs = await get('/jobs');
  const list = h('div', null, table(columns, jobs, { empty: 'no job yet', stack: true }));
  const draw = () => list.replaceChildren(table(columns, jobs, { empty: 'no job yet', stack: true }));
  let seen = '';
  at.onNews(async () => {
    const stamp = news.jobs.map((j) => j.job + j.state + j.updated).join();
    if (stamp !== seen) { seen = stamp; jobs = await get('/jobs').catch(() => jobs); }
    if (at.alive()) draw();
  });
  const latest = jobs.find((j) => j.trials > 0) ?? jobs[0];
  document.title = 'promptcc';
  if (!latest) return [h('h1', null, 'No job yet'), card(null,
    h('p', null, 'A job says which prompts to improve, on which examples, by which metric. Start from a template:'),
    h('pre', null, 'promptcc init my-job --template customer_care\npromptcc submit my-job/job.yaml --coordinator ' + 'tcp://HOST:PORT'),
    h('p', { class: 'muted' }, 'It will appear here.')), list];
  const told = piece(() => story(latest.job), (parts) => parts), live = h('div');
  let state = pill(latest.state);
  const drawLive = () => {
    live.replaceChildren(...[progress(latest.job)].filter(Boolean));
    const next = pill(news.jobs.find((j) => j.job === latest.job)?.state ?? latest.state);
    state.replaceWith(next);
    state = next;
  };
  const title = h('h1', { class: 'head' }, h('a', { href: link(latest.job) }, latest.name), state);
  drawLive();
  at.onNews(drawLive);
  keepFresh(at, latest.job, [told]);
  return [card(jobs.length === 1 ? 'Job' : 'Jobs', list),
    title, live, told.el];
}
