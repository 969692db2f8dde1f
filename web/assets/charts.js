// Plots, made with uPlot (a global of uplot.js). Points can be hovered over and
// opened; the table of trials has the same for those who cannot see them.

import { h, pct, points as signed, range, num, counted } from './ui.js';

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
const HEIGHT = 290;

// Steps between ticks: there is no trial 2.5, and percents are whole numbers.
const steps = Array.from({ length: 9 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** i)).flat();
const percents = [1, 2, 5, 10, 20, 50].map((n) => n / 100);

function axes(labels) {
  const ink = colour('muted'), line = colour('line'), font = '12px system-ui, sans-serif';
  const common = { stroke: ink, font, labelFont: font, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, labelSize: 16 };
  return [
    { ...common, label: labels[0], size: 34, incrs: steps },
    { ...common, label: labels[1], size: 48, incrs: percents, values: (u, ticks) => ticks.map((t) => (100 * t).toFixed(0)) },
  ];
}

// Adds space around what is shown, within 0 and 1.
function scoreRange(u, low, high) {
  if (!(low <= high)) return [0, 1];
  const room = Math.max(0.02, (high - low) * 0.08);
  return [Math.max(0, low - room), Math.min(1.005, high + room)];
}

// Draws points { x, y, low, high, kind } and a stepped line. say(point) returns
// the text at a point, and open(point) follows it.
function plot(host, points, line, labels, say, open) {
  const tip = h('div', { class: 'tip', hidden: true });
  const xs = points.map((p) => p.x);
  const kinds = { base: colour('warn'), full: colour('accent'), mini: colour('point') };
  let at = null;

  function drawPoints(u) {
    const { ctx } = u, pxr = devicePixelRatio || 1, many = points.length > 250;
    ctx.save();
    ctx.beginPath();
    ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    ctx.clip();
    for (const p of points) {
      const x = u.valToPos(p.x, 'x', true), y = u.valToPos(p.y, 'y', true);
      ctx.strokeStyle = ctx.fillStyle = kinds[p.kind];
      if (typeof p.low === 'number') {
        ctx.globalAlpha = many ? 0.12 : 0.32;
        ctx.lineWidth = (many ? 1 : 2) * pxr;
        ctx.beginPath();
        ctx.moveTo(x, u.valToPos(p.low, 'y', true));
        ctx.lineTo(x, u.valToPos(p.high, 'y', true));
        ctx.stroke();
      }
      ctx.globalAlpha = p.kind === 'mini' ? 0.75 : 1;
      ctx.beginPath();
      ctx.arc(x, y, (p === at ? 6 : p.kind === 'mini' ? 2.2 : many ? 3 : 4) * pxr, 0, 7);
      ctx.fill();
    }
    ctx.restore();
  }

  function point(u) {
    const { left, top } = u.cursor;
    let best = null, least = 24 * 24;
    if (left >= 0) for (const p of points) {
      const dx = u.valToPos(p.x, 'x') - left, dy = u.valToPos(p.y, 'y') - top;
      if (dx * dx + dy * dy < least) { least = dx * dx + dy * dy; best = p; }
    }
    if (best === at) return;
    at = best;
    tip.hidden = !at;
    u.over.style.cursor = at ? 'pointer' : '';
    if (at) {
      const x = u.valToPos(at.x, 'x') + u.over.offsetLeft, y = u.valToPos(at.y, 'y') + u.over.offsetTop;
      tip.textContent = say(at);
      tip.style.top = Math.max(0, y - 56) + 'px';
      tip.style.left = Math.max(0, Math.min(x + 10, host.clientWidth - 170)) + 'px';
    }
    u.redraw(false);
  }

  const lows = points.flatMap((p) => [p.low ?? p.y, p.high ?? p.y]);
  const u = new uPlot({
    width: Math.max(280, host.clientWidth), height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false } },
    scales: { x: { time: false, range: (v, a, b) => (a === b ? [a - 1, b + 1] : [a - (b - a) * 0.02, b + (b - a) * 0.02]) },
      y: { range: () => scoreRange(null, Math.min(...lows), Math.max(...lows)) } },
    axes: axes(labels),
    series: [{}, { stroke: colour('accent'), width: 2, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } }],
    hooks: { draw: [drawPoints], setCursor: [point] },
  }, [xs, line], host);
  host.append(tip);
  u.over.addEventListener('click', () => at && open(at));
  const watcher = new ResizeObserver(() => host.isConnected
    ? Math.abs(u.width - host.clientWidth) > 2 && host.clientWidth > 0 && u.setSize({ width: host.clientWidth, height: HEIGHT })
    : (watcher.disconnect(), u.destroy()));
  watcher.observe(host);
}

// Draws the plot once the host is on the page and has a width.
function later(label, draw) {
  const host = h('div', { class: 'chart', role: 'img', 'aria-label': label });
  requestAnimationFrame(function attempt() {
    if (host.isConnected && host.clientWidth > 0) draw(host);
    else if (!host.dataset.tries || +host.dataset.tries < 100) {
      host.dataset.tries = 1 + +(host.dataset.tries ?? 0);
      requestAnimationFrame(attempt);
    }
  });
  return host;
}

const kindOf = (p) => (p.kind === 'baseline' ? 'base' : p.kind === 'full' ? 'full' : 'mini');
const legend = (...items) => h('div', { class: 'keys' }, items.map(([cls, text]) => h('span', null, h('i', { class: cls }), text)));

export function curveChart(curve, open) {
  const given = curve.points.filter((p) => typeof p.score === 'number');
  if (given.length === 0) return h('p', { class: 'muted' }, 'No trial has ended yet.');
  const points = given.map((p) => ({ ...p, x: p.trial, y: p.score, kind: kindOf(p) }));
  const best = given.map((p) => p.best);
  const several = curve.bucket > 1;
  return [
    later(`Scores of ${counted(curve.done, 'trial')}; the best of them on all examples is ${pct(best[best.length - 1])}`, (host) =>
      plot(host, points, best, ['trial', 'score, %'],
        (p) => `trial ${num(p.trial)}: ${pct(p.y)} (${range(p)})\n${counted(p.n, 'example')}${several ? `, best of ${counted(p.trials, 'trial')}` : ''}`, open)),
    legend(['base', 'baseline'], ['full', 'on all examples'], ['mini', 'on some of them'], ['line', 'best on all examples']),
    several && h('p', { class: 'muted small' }, `Points stand for ${num(curve.bucket)} trials each: the best on all examples, and the best on some of them. The table below has all trials.`),
  ];
}

export function tokensChart(rows, open) {
  if (rows.length === 0) return h('p', { class: 'muted' }, 'No candidate was scored on all examples yet.');
  const points = rows.map((r) => ({ ...r, x: r.prompt_tokens, y: r.score, kind: r.kind === 'baseline' ? 'base' : r.front ? 'full' : 'mini' }));
  let best = null;
  const line = rows.map((r) => (r.front ? (best = r.score) : best));
  return [
    later(`Scores of ${counted(rows.length, 'candidate')} against the tokens of their prompts`, (host) =>
      plot(host, points, line, ['prompt tokens of an example', 'score, %'],
        (p) => `candidate ${p.candidate}: ${pct(p.y)} (${range(p)})\n${num(p.prompt_tokens)} prompt tokens, ${num(p.generated_tokens)} generated`, open)),
    legend(['base', 'baseline'], ['full', 'gains more than every shorter prompt'], ['mini', 'others']),
  ];
}

const valueName = (r, v) => (r.step === '' ? v.value : v.value === 0 ? (r.part === 'demos' ? 'no demos' : 'as written') : 'no. ' + v.value);

export function importanceBars(rows) {
  const shown = rows.filter((r) => r.choices > 1);
  if (shown.length === 0) return h('p', { class: 'muted' }, 'There is nothing to compare yet: all trials made the same choices.');
  return [h('div', { class: 'imp' }, shown.map((r) => [
    h('span', null, r.step === '' ? r.part : `${r.step}: ${r.part}`),
    h('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', role: 'img', 'aria-label': `${(100 * r.importance).toFixed(0)} % of the differences` },
      h('rect', { class: 'bg', width: 100, height: 10 }), h('rect', { width: Math.max(0.5, 100 * r.importance), height: 10 })),
    h('span', { class: 'muted' }, (100 * r.importance).toFixed(0) + ' %'),
    h('div', { class: 'values muted small' }, 'mean gain: ', r.values.slice(0, 4).map((v, i) => [i > 0 && ', ', valueName(r, v), ' ', h('b', null, signed(v.mean_gain)), ` (${counted(v.trials, 'trial')})`]),
      r.choices > 4 && `, and ${counted(r.choices - 4, 'other')}`),
  ])), h('p', { class: 'muted small' }, 'Each share is for one choice alone. If two choices changed together, both are credited with what they explain together, so the shares may add up to more than 100 %.')];
}
