// A headless Chromium for test_web_page.py: reads a line of JSON with the body
// of an async function of (page, context, seen), runs it, writes a line with
// what it gave. `seen` lists what a page may not do: requests to elsewhere,
// errors on the console (a breach of the content security policy is one).
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

const [executablePath, modules] = process.argv.slice(2);
const { chromium } = createRequire(modules + '/')('playwright-core');
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
let context, page, seen;

async function open({ base, ...options }) {
  await context?.close();
  seen = { elsewhere: [], errors: [] };
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(180000);
  page = await context.newPage();
  page.on('request', (r) => r.url().startsWith(base) || r.url().startsWith('data:') || seen.elsewhere.push(r.url()));
  page.on('pageerror', (e) => seen.errors.push(String(e)));
  page.on('console', (m) => m.type() === 'error' && seen.errors.push(m.text()));
}

const AsyncFunction = (async () => {}).constructor;
for await (const line of createInterface({ input: process.stdin })) {
  const { body, open: options } = JSON.parse(line);
  try {
    if (options) await open(options);
    const value = body ? await new AsyncFunction('page', 'context', 'seen', body)(page, context, seen) : null;
    console.log(JSON.stringify({ value: value ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.stack ?? error) }));
  }
}
await browser.close();
