// A score, and the calls that led to it: the messages exactly as they were sent,
// and the reply as it came.

import { ago, card, fields, h, named, num, pct, span } from './ui.js';
import { get, jobPath } from './api.js';
import { toCandidate } from './story.js';

export function message(role, content, reply) {
  return h('div', { class: `message ${role === 'assistant' ? 'assistant' : ''} ${reply ? 'reply' : ''}` }, h('h4', null, reply ? 'reply' : role), h('pre', null, content));
}

function callCard(call, i, n) {
  const messages = Array.isArray(call.messages) ? call.messages.map((m) => message(m.role ?? '', typeof m.content === 'string' ? m.content : JSON.stringify(m.content, null, 1)))
    : message('asked', typeof call.messages === 'string' ? call.messages : JSON.stringify(call.messages, null, 1));
  const facts = [['outcome', call.outcome], ['prompt tokens', num(call.prompt_tokens) + (call.cached_tokens ? `, ${num(call.cached_tokens)} cached` : '')], ['generated', num(call.generated_tokens)],
    ['time', span(call.total_us / 1e6)], ['worker', call.worker], ['sent', call.attempts === 1 ? 'once' : `${call.attempts} times`], ['when', ago(call.finished)], ['key', call.key]];
  return card(`${n > 1 ? `Call ${i + 1} of ${n}: ` : 'The call: '}${call.step || call.purpose}, ${call.role} ${call.model}`,
    messages, message('assistant', call.reply, true),
    h('details', null, h('summary', null, 'Facts'), h('dl', null, facts.map(([k, v]) => [h('dt', null, k), h('dd', { class: k === 'key' ? 'mono' : undefined }, v)]), h('dt', null, 'options'), h('dd', { class: 'mono' }, JSON.stringify(call.options)))));
}

export async function callView(at) {
  const [name, number] = at.parts;
  const [s, call] = await Promise.all([get(jobPath(name)), get(`${jobPath(name)}/calls/${number}`)]);
  document.title = `call ${number} · promptcc`;
  return [h('p', { class: 'small' }, h('a', { href: '#/jobs/' + encodeURIComponent(s.job) }, s.name), call.job !== s.job && h('span', { class: 'muted' }, ` · made for ${call.job}, and used again here`)),
    h('h1', null, `Call ${number}`), callCard(call, 0, 1)];
}

export async function evaluationView(at) {
  const [name, number] = at.parts;
  const e = await get(`${jobPath(name)}/evaluations/${number}`);
  const base = '#/jobs/' + encodeURIComponent(e.job);
  document.title = `example ${e.row} · promptcc`;
  return [
    h('p', { class: 'small' }, h('a', { href: base }, e.job), ' / ', h('a', { href: base + '/examples' }, 'examples'), ' / ', toCandidate(e.job, e.candidate)),
    h('div', { class: 'head' }, h('h1', null, `${pct(e.score)} on example ${e.row}`), h('span', { class: 'pill' + (e.score >= 1 ? ' done' : '') }, e.outcome)),
    h('p', { class: 'muted small' }, e.file ? `${e.file}:${e.line}` : '', e.share ? ` · ${e.share}` : ''),
    e.reason && h('div', { class: 'note' }, named(e.reason)),
    h('div', { class: 'grid' }, card('Asked', fields(e.inputs)), card('Right answer', fields(e.labels))),
    e.calls.map((call, i) => callCard(call, i, e.calls.length))];
}
