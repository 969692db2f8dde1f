// Makes elements, and prints numbers. All text reaches the page as text nodes or
// attributes, never as HTML, so what a model wrote is shown as it wrote it.

export function h(tag, props, ...children) {
  const el = tag === 'svg' || tag === 'line' || tag === 'circle' || tag === 'rect'
    ? document.createElementNS('http://www.w3.org/2000/svg', tag)
    : document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) el.addEventListener(key.slice(2), value);
    else if (key === 'value') el.value = value;
    else el.setAttribute(key, value === true ? '' : value);
  }
  el.append(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false)
    .map((c) => (c instanceof Node ? c : document.createTextNode(visible(String(c))))));
  return el;
}

// Makes characters visible that only change how others are shown (bidi controls
// and the like), as in the terminal.
export function visible(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]|[\u{e0000}-\u{e007f}]/gu,
    (c) => (c === '\r' ? '' : '\\u' + c.codePointAt(0).toString(16).padStart(4, '0')));
}

export const pct = (x) => (typeof x === 'number' ? (100 * x).toFixed(1) + ' %' : '–');
export const points = (x) => (x >= 0 ? '+' : '−') + (100 * Math.abs(x)).toFixed(1);
export const range = (s) => (typeof s?.low === 'number' ? `${(100 * s.low).toFixed(0)} to ${(100 * s.high).toFixed(0)}` : '');
const whole = new Intl.NumberFormat('en');
export const num = (x) => (typeof x === 'number' ? whole.format(Math.round(x)) : '–');
export const counted = (n, noun) => `${num(n)} ${noun}${n === 1 ? '' : 's'}`;

export function span(s) {
  if (!(s >= 0)) return '–';
  if (s < 1) return Math.round(1000 * s) + ' ms';
  if (s < 10 && !Number.isInteger(s)) return s.toFixed(1) + ' s';
  if (s < 90) return s.toFixed(0) + ' s';
  if (s < 5400) return (s / 60).toFixed(0) + ' min';
  return (s / 3600).toFixed(1) + ' h';
}

// For a running job: "about 12 s left"; "" if that is not known.
export const left = (ms) => (ms >= 0 ? `about ${span(Math.max(1, Math.round(ms / 1000)))} left` : '');

export function ago(iso) {
  const s = (Date.now() - Date.parse(iso)) / 1000;
  if (!(s >= 0)) return iso ?? '';
  if (s < 5) return 'now';
  if (s < 86400 * 2) return span(Math.round(s)) + ' ago';
  return iso.slice(0, 10);
}

export const pill = (state) => h('span', { class: 'pill ' + state }, state);

// Puts a p-value into words.
export function verdict(p, gain) {
  if (p >= 0.05) return 'no detectable difference';
  const chance = p < 0.0001 ? 'less than once in 10,000 times' : `once in ${num(1 / p)} times`;
  return `${gain > 0 ? 'better' : 'worse'}: chance alone would show this ${chance}`;
}

export function card(title, ...children) {
  return h('section', { class: 'card' }, title && h('h2', null, title), ...children);
}

export function fail(error) {
  return h('div', { class: 'note bad', role: 'alert' }, error.message ?? String(error));
}

// Draws scores with their intervals on one axis from 0 to 100 %: rows are [name,
// score, whether it is the best, link to its examples and their calls].
export function sides(rows) {
  const bar = (s, best) => h('svg', { viewBox: '0 0 400 22', preserveAspectRatio: 'none', role: 'img',
    'aria-label': `${pct(s.score)}, 95 % interval ${range(s)}` },
    h('line', { class: 'axis', x1: 0, x2: 400, y1: 11, y2: 11 }),
    h('line', { class: 'range' + (best ? ' best' : ''), x1: 400 * s.low, x2: 400 * s.high, y1: 11, y2: 11 }),
    h('line', { class: 'mark' + (best ? ' best' : ''), x1: 400 * s.score, x2: 400 * s.score, y1: 4, y2: 18 }));
  return h('div', { class: 'sides' }, rows.filter((r) => r[1]).map(([name, s, best, behind]) => h('div', { class: 'side' },
    h('span', null, name), bar(s, best),
    h('span', null, behind ? h('a', { href: behind }, h('b', null, pct(s.score))) : h('b', null, pct(s.score)), ' ', h('span', { class: 'muted small' }, `(${range(s)})`)))));
}

// Makes a table: columns are [title, row => cell, class, sort key].
export function table(columns, rows, opts = {}) {
  const th = ([title, , cls, key]) => h('th', { class: cls, 'aria-sort': key && key === opts.sort ? (opts.order === 'desc' ? 'descending' : 'ascending') : undefined },
    key && opts.onsort ? h('button', { type: 'button', onclick: () => opts.onsort(key) }, title + (key === opts.sort ? (opts.order === 'desc' ? ' ↓' : ' ↑') : '')) : title);
  return h('div', { class: 'scroll' }, h('table', { class: opts.stack && 'stack' },
    h('thead', null, h('tr', null, columns.map(th))),
    h('tbody', null, rows.length === 0 ? h('tr', null, h('td', { colspan: columns.length, class: 'muted' }, named(opts.empty ?? 'nothing here'))) :
      rows.map((row) => h('tr', { class: opts.rowClass?.(row) }, columns.map(([title, cell, cls]) => h('td', { class: cls, 'data-name': opts.stack && title !== 'example' ? title : undefined }, cell(row))))))));
}

export function pager(total, offset, limit, go) {
  if (total <= limit) return h('p', { class: 'muted small' }, counted(total, 'row'));
  return h('div', { class: 'bar small' },
    h('button', { type: 'button', disabled: offset === 0, onclick: () => go(Math.max(0, offset - limit)) }, '← earlier'),
    h('span', { class: 'muted' }, `${num(offset + 1)} to ${num(Math.min(total, offset + limit))} of ${num(total)}`),
    h('button', { type: 'button', disabled: offset + limit >= total, onclick: () => go(offset + limit) }, 'later →'));
}

// Words between backticks are names.
export const named = (text) => text.split('`').map((part, i) => (i % 2 === 1 ? h('code', null, part) : part));

// Lists inputs and labels by name and value.
export function fields(object, only) {
  return h('dl', null, Object.entries(object ?? {}).filter(([, v]) => v !== '').map(([k, v]) => [
    h('dt', null, k), h('dd', null, typeof v === 'string' ? v : JSON.stringify(v))]));
}

export const brief = (object) => Object.values(object ?? {}).filter((v) => v !== '' && v !== null)
  .map((v) => (typeof v === 'string' ? v : JSON.stringify(v))).join(' · ');
