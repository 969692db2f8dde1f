// A word diff: which words of b are new, and which of a are gone (Myers' greedy
// algorithm over words and the space between them).

import { h } from './ui.js';

const MOST = 4000; // words changed; beyond that the whole is new

const words = (text) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];

// [[op, text]...]: op is '=', '-' or '+'.
export function diffWords(a, b) {
  const x = words(a), y = words(b);
  let from = 0, toX = x.length, toY = y.length;
  while (from < toX && from < toY && x[from] === y[from]) from++;
  while (toX > from && toY > from && x[toX - 1] === y[toY - 1]) { toX--; toY--; }
  const middle = script(x.slice(from, toX), y.slice(from, toY));
  return join([...x.slice(0, from).map((w) => ['=', w]), ...middle, ...x.slice(toX).map((w) => ['=', w])]);
}

function script(x, y) {
  const n = x.length, m = y.length, trace = [];
  if (n === 0 || m === 0 || n + m > MOST)
    return [...x.map((w) => ['-', w]), ...y.map((w) => ['+', w])];
  const v = new Map([[1, 0]]);
  for (let d = 0; d <= n + m; d++) {
    trace.push(new Map(v));
    for (let k = -d; k <= d; k += 2) {
      let i = k === -d || (k !== d && (v.get(k - 1) ?? -1) < (v.get(k + 1) ?? -1)) ? v.get(k + 1) : v.get(k - 1) + 1;
      let j = i - k;
      while (i < n && j < m && x[i] === y[j]) { i++; j++; }
      v.set(k, i);
      if (i >= n && j >= m) return walkBack(x, y, trace);
    }
  }
  return [];
}

function walkBack(x, y, trace) {
  const out = [];
  let i = x.length, j = y.length;
  for (let d = trace.length - 1; d >= 0; d--) {
    const v = trace[d], k = i - j;
    const before = k === -d || (k !== d && (v.get(k - 1) ?? -1) < (v.get(k + 1) ?? -1)) ? k + 1 : k - 1;
    const bi = d === 0 ? 0 : v.get(before), bj = d === 0 ? 0 : bi - before;
    while (i > bi && j > bj && i > 0 && j > 0 && x[i - 1] === y[j - 1]) { out.push(['=', x[--i]]); j--; }
    if (d === 0) break;
    if (i > bi) out.push(['-', x[--i]]);
    else if (j > bj) out.push(['+', y[--j]]);
  }
  return out.reverse();
}

function join(ops) {
  const out = [];
  for (const [op, text] of ops) {
    if (out.length > 0 && out[out.length - 1][0] === op) out[out.length - 1][1] += text;
    else out.push([op, text]);
  }
  return out;
}

// Both texts side by side, with what is gone marked left and what is new right.
export function sideBySide(a, b, nameA, nameB) {
  const ops = diffWords(a, b);
  const column = (name, gone, tag) => h('div', null, h('h4', null, name),
    ops.filter(([op]) => op === '=' || op === gone).map(([op, text]) => (op === '=' ? text : h(tag, null, text))));
  return h('div', { class: 'diff' }, column(nameA, '-', 'del'), column(nameB, '+', 'ins'));
}
