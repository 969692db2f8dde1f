// A word diff: which words of b are new, and which of a are gone (Myers' greedy
// algorithm over words and the space between them). Texts that differ in more
// words than anybody reads are compared sentence by sentence. If they differ in
// too many sentences, the whole of a is gone and the whole of b is new. So no
// comparison takes longer than MOST_CHANGES allows, however long the texts are.

import { h } from './ui.js';

const MOST_CHANGES = 1000; // work and memory grow by its square: below 0.1 s, 4 MB

const words = (text) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
const sentences = (text) => text.match(/[^.!?\n]*[.!?\n]+\s*|[^.!?\n]+$/gu) ?? [];

// Returns [[op, text]...], where op is '=', '-' or '+'.
export function diffWords(a, b) {
  return join(diff(words(a), words(b)) ?? diff(sentences(a), sentences(b)) ?? [['-', a], ['+', b]]);
}

// The same for lists, one entry per part; null if too much has changed.
function diff(x, y) {
  let from = 0, toX = x.length, toY = y.length;
  while (from < toX && from < toY && x[from] === y[from]) from++;
  while (toX > from && toY > from && x[toX - 1] === y[toY - 1]) { toX--; toY--; }
  const middle = script(x.slice(from, toX), y.slice(from, toY));
  return middle && [...x.slice(0, from).map((w) => ['=', w]), ...middle, ...x.slice(toX).map((w) => ['=', w])];
}

// v[k + MIDDLE] is how far into x the diagonal k (place in x minus place in y) was
// followed with d changes; trace[d] is v before those changes, only for -d..d.
function script(x, y) {
  const n = x.length, m = y.length, MIDDLE = MOST_CHANGES + 1, trace = [];
  const v = new Int32Array(2 * MIDDLE + 1).fill(-1);
  v[MIDDLE + 1] = 0;
  for (let d = 0; d <= MOST_CHANGES; d++) {
    trace.push(v.slice(MIDDLE - d - 1, MIDDLE + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && v[MIDDLE + k - 1] < v[MIDDLE + k + 1]);
      let i = down ? v[MIDDLE + k + 1] : v[MIDDLE + k - 1] + 1;
      while (i < n && i - k < m && x[i] === y[i - k]) i++;
      v[MIDDLE + k] = i;
      if (i >= n && i - k >= m) return walkBack(x, y, trace);
    }
  }
  return null;
}

function walkBack(x, y, trace) {
  const out = [];
  let i = x.length, j = y.length;
  for (let d = trace.length - 1; d >= 0; d--) {
    const v = trace[d], k = i - j, at = k + d + 1;
    const before = k === -d || (k !== d && v[at - 1] < v[at + 1]) ? k + 1 : k - 1;
    const bi = d === 0 ? 0 : v[before + d + 1], bj = d === 0 ? 0 : bi - before;
    while (i > bi && j > bj) { out.push(['=', x[--i]]); j--; }
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
