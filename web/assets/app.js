// The page: which view belongs to which address (#/...), and what surrounds all
// views: navigation, news, keys, the login.

import { h, fail } from './ui.js';
import { ApiError, follow, login, news, onNews, openSession } from './api.js';
import { jobsView } from './jobs.js';
import { jobView } from './job.js';
import { candidateView } from './candidate.js';
import { callView, evaluationView } from './evaluation.js';
import { workersView } from './workers.js';

const routes = [
  [/^\/$/, jobsView, 'jobs'],
  [/^\/workers$/, workersView, 'workers'],
  [/^\/jobs\/([^/]+)\/candidates\/(\d+|best)$/, candidateView, 'jobs'],
  [/^\/jobs\/([^/]+)\/evaluations\/(\d+)$/, evaluationView, 'jobs'],
  [/^\/jobs\/([^/]+)\/calls\/(\d+)$/, callView, 'jobs'],
  [/^\/jobs\/([^/]+)(?:\/([a-z]+))?$/, jobView, 'jobs'],
];

const main = document.getElementById('main');
let turn = 0, leave = null;

// Returns a part of an address without its escapes; a lone % leaves it as it is.
function plain(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}

function noPage(at) {
  document.title = 'promptcc';
  return [fail({ message: `There is no page at #${at.path}.` }), h('p', null, h('a', { href: '#/' }, 'To the jobs'))];
}

async function show() {
  const [path, query] = (location.hash.slice(1) || '/').split('?');
  const mine = ++turn;
  const found = routes.map(([pattern, view, nav]) => [pattern.exec(path), view, nav]).find(([match]) => match);
  const [match, view, nav] = found ?? [[], noPage];
  document.querySelectorAll('[data-nav]').forEach((a) => (a.dataset.nav === nav ? a.setAttribute('aria-current', 'page') : a.removeAttribute('aria-current')));
  const cleanups = [];
  const at = { path, parts: match.slice(1).map((p) => p && plain(p)), query: new URLSearchParams(query ?? ''),
    alive: () => mine === turn, onLeave: (fn) => cleanups.push(fn), onNews: (fn) => cleanups.push(onNews(fn)) };
  let content;
  try {
    content = await view(at);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) { askToken(); return; }
    content = fail(error);
  }
  if (mine !== turn) { cleanups.forEach((fn) => fn()); return; }
  leave?.();
  leave = () => cleanups.forEach((fn) => fn());
  const samePage = main.dataset.path?.split('/')[2] === path.split('/')[2] && main.dataset.path?.split('/').length === path.split('/').length;
  main.dataset.path = path;
  main.replaceChildren(...[content].flat(3).filter(Boolean));
  if (!samePage) scrollTo(0, 0);
}

function askToken() {
  wasConnected = false;
  tellLive();
  const input = h('input', { type: 'password', name: 'token', autocomplete: 'current-password', required: true, 'aria-label': 'Token' });
  const says = h('p', { class: 'muted small' }, 'It is in the file that --http-token names, on the coordinator’s machine.');
  main.replaceChildren(h('form', { class: 'card login', onsubmit: async (event) => {
    event.preventDefault();
    try { await login(input.value.trim()); start(); } catch (error) { says.replaceChildren(fail(error)); }
  } }, h('h1', null, 'Token'), h('p', null, 'This server asks for its token.'), h('div', { class: 'bar' }, input, h('button', { class: 'main' }, 'Open')), says));
  input.focus();
}

let wasConnected = false;
function tellLive() {
  const live = document.getElementById('live');
  wasConnected ||= news.connected;
  document.getElementById('lost').hidden = news.connected || !wasConnected;
  const running = news.status?.jobs.length ?? 0;
  live.className = 'live ' + (news.connected ? (news.status ? 'on' : 'off') : 'off');
  live.textContent = !news.connected ? 'not connected' : !news.status ? 'the coordinator does not answer'
    : running === 0 ? 'no job is running' : running === 1 ? '1 job is running' : `${running} jobs are running`;
}

document.getElementById('theme').addEventListener('click', () => {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  try { localStorage.setItem('promptcc-theme', dark ? 'light' : 'dark'); } catch { /* then only for this page */ }
  show();
});

const keyHelp = [['j', 'jobs'], ['w', 'workers'], ['1 … 5', 'the tabs of a job'], ['/', 'the filter'], ['t', 'light or dark'], ['?', 'this list']];
function showKeys() {
  const dialog = h('dialog', { onclose: () => dialog.remove() }, h('h2', null, 'Keys'),
    h('dl', null, keyHelp.map(([key, what]) => [h('dt', null, h('kbd', null, key)), h('dd', null, what)])),
    h('form', { method: 'dialog' }, h('button', null, 'Close')));
  document.body.append(dialog);
  dialog.showModal();
}
document.getElementById('keys').addEventListener('click', showKeys);

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || document.querySelector('dialog[open]')) return;
  const tab = document.querySelectorAll('.tabs a')[+event.key - 1];
  if (tab) tab.click();
  else if (event.key === 'j') location.hash = '#/';
  else if (event.key === 'w') location.hash = '#/workers';
  else if (event.key === 't') document.getElementById('theme').click();
  else if (event.key === '?') showKeys();
  else if (event.key === '/' && document.querySelector('[data-filter]')) document.querySelector('[data-filter]').focus();
  else return;
  event.preventDefault();
});

// The token is no longer valid, or too many pages already follow the news.
async function refused() {
  try {
    await openSession();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) { askToken(); return; }
  }
  setTimeout(() => follow(refused), 3000);
}

async function start() {
  try {
    await openSession();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) askToken();
    else main.replaceChildren(fail(error));
    return;
  }
  follow(refused);
  show();
}

addEventListener('hashchange', show);
onNews(tellLive);
start();
