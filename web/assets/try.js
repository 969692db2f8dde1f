// Runs the best program so far on a message of the user.

import { card, counted, fail, fields, h, num, span } from './ui.js';
import { jobPath, post } from './api.js';
import { message } from './evaluation.js';

function callDetails(call) {
  return h('details', null, h('summary', null, `${call.step}: ${num(call.prompt_tokens)} + ${num(call.generated_tokens)} tokens, ${span(call.total_us / 1e6)}`),
    (call.messages ?? []).map((m) => message(m.role, m.content)), message('assistant', call.reply, true));
}

function resultOf(result) {
  return [result.outputs ? fields(result.outputs) : h('div', { class: 'note bad' }, `No answer (${result.outcome}): step ${result.failed_step ?? '?'} ${result.problem}`),
    h('h3', null, `Behind it: ${counted(result.calls.length, 'call')}`), result.calls.map(callDetails)];
}

// Reads a number or an object if the input's type asks for one.
function valueOf(text, type) {
  if (/^(int|float|bool|list|object|json)/.test(typeof type === 'string' ? type : '')) {
    try { return JSON.parse(text); } catch { return text; }
  }
  return text;
}

export function tryTab(at, job, summary) {
  const inputs = Object.entries(summary.canonical?.inputs ?? {});
  const boxes = new Map(inputs.map(([name, spec]) => [name, h('textarea', { name, id: 'input-' + name, 'data-filter': true, placeholder: spec?.default !== undefined ? 'may be left empty' : '', rows: 3 })]));
  const out = h('div', { 'aria-live': 'polite' });
  const button = h('button', { class: 'main' }, 'Try it');
  const form = h('form', { onsubmit: async (event) => {
    event.preventDefault();
    button.disabled = true;
    out.replaceChildren(h('p', { class: 'muted' }, 'Asking a worker…'));
    const values = {};
    for (const [name, spec] of inputs) {
      const text = boxes.get(name).value;
      if (text !== '' || spec?.default === undefined) values[name] = valueOf(text, spec?.type);
    }
    try {
      out.replaceChildren(...[resultOf(await post(jobPath(job) + '/try', { inputs: values }))].flat(3));
    } catch (error) { out.replaceChildren(fail(error)); }
    button.disabled = false;
  } }, inputs.map(([name, spec]) => h('p', null, h('label', { for: 'input-' + name }, h('b', null, name), spec?.desc ? `: ${spec.desc}` : ''), boxes.get(name))), button);
  return [card('Try your own message', h('p', { class: 'muted small' }, 'Runs the best program so far, on a worker that has the job’s model. Nothing is stored.'), form),
    card('What it answers', out)];
}
