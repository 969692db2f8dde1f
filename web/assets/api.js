// Asks the server, and receives its news.

let csrf = '';
export const session = {};

export class ApiError extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

async function read(response) {
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  throw new ApiError(response.status, body.error?.text ?? `the server answered ${response.status}`);
}

async function reach(path, options) {
  try {
    return await fetch('/api/v1' + path, { cache: 'no-store', ...options });
  } catch {
    throw new ApiError(0, 'the server does not answer: has it ended?');
  }
}

export async function get(path, query = {}) {
  const words = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== '' && v !== undefined && v !== null));
  return read(await reach(path + (words.size > 0 ? '?' + words : '')));
}

export async function post(path, body = {}) {
  return read(await reach(path, { method: 'POST', body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', 'X-Promptcc-Csrf': csrf } }));
}

export async function openSession() {
  Object.assign(session, await get('/session'));
  csrf = session.csrf;
}

export async function login(token) {
  Object.assign(session, await post('/login', { token }));
  csrf = session.csrf;
}

export const jobPath = (job) => '/jobs/' + encodeURIComponent(job);

// --- news ---

const listeners = new Set();
export const news = { status: null, jobs: [], connected: false };

// Returns the best of a job so far, as the store has it: {best (its trial), score,
// low, high, baseline}; undefined while there is none.
export const bestOf = (job) => news.jobs.find((j) => j.job === job && typeof j.score === 'number');

export function onNews(fn) {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

let source = null;

// The browser reconnects automatically, except when the server refuses it: then
// refused() is called, and may call follow again.
export function follow(refused) {
  if (source) return;
  source = new EventSource('/api/v1/stream');
  const tell = () => listeners.forEach((fn) => fn(news));
  source.addEventListener('status', (event) => {
    Object.assign(news, JSON.parse(event.data), { connected: true });
    tell();
  });
  // It may be another server than before, with another CSRF word.
  source.onopen = () => openSession().catch(() => {});
  source.onerror = () => {
    const closed = source.readyState === EventSource.CLOSED;
    if (closed) source = null;
    news.connected = false;
    tell();
    if (closed) refused();
  };
}
