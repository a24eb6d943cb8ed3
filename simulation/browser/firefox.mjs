// Drives Firefox over WebDriver BiDi for page.py: one JSON object a line in, one a line out.
import readline from 'node:readline';
import puppeteer from 'puppeteer-core';

const PREFERENCES = {
  'media.autoplay.default': 0,
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'privacy.resistFingerprinting': false,
};

let browser;
let context;
let page;

/** Set Firefox's preferences, which hold for all its pages at once. */
async function prefer(preferences) {
  const { result } = await browser.connection.send('browsingContext.getTree', { 'moz:scope': 'chrome' });
  const set = ([name, value]) => {
    const kind = { boolean: 'Bool', number: 'Int' }[typeof value];
    return `Services.prefs.set${kind}Pref(${JSON.stringify(name)}, ${value});`;
  };
  await browser.connection.send('script.evaluate', {
    expression: Object.entries(preferences).map(set).join(''),
    target: { context: result.contexts[0].context },
    awaitPromise: false,
  });
}

const actions = {
  async launch({ executable }) {
    browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: executable,
      headless: true,
      args: ['--remote-allow-system-access'],
      extraPrefsFirefox: PREFERENCES,
      protocolTimeout: 120_000,
    });
  },
  async open({ preferences }) {
    await prefer(preferences);
    context = await browser.createBrowserContext();
    page = await context.newPage();
    await page.setViewport({ width: 1440, height: 900 });
  },
  prefer: ({ preferences }) => prefer(preferences),
  leave: () => context.close(),
  goto: ({ url }) => page.goto(url).then(() => undefined),
  reload: () => page.reload().then(() => undefined),
  call: ({ function: source, arguments: all }) =>
    page.evaluate(`(async () => (${source})(...${JSON.stringify(all)}))()`),
  click: ({ selector }) => page.locator(selector).click(),
  async press({ key }) {
    const keys = key.split('+');
    const last = keys.pop();
    for (const held of keys) await page.keyboard.down(held);
    await page.keyboard.press(last);
    for (const held of keys) await page.keyboard.up(held);
  },
  point: ({ x, y }) => page.mouse.move(x, y),
  async upload({ selector, file }) {
    const input = await page.$(selector);
    await input.uploadFile(file);
  },
  resize: ({ width, height, pixelRatio }) =>
    page.setViewport({ width, height, deviceScaleFactor: pixelRatio }),
  screenshot: () => page.screenshot({ encoding: 'base64' }),
  close: () => page.close(),
  quit: () => browser?.close(),
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { number, action, ...rest } = JSON.parse(line);
  let answer;
  try {
    answer = { number, value: (await actions[action](rest)) ?? null };
  } catch (error) {
    answer = { number, error: String(error?.stack ?? error) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
  if (action === 'quit') process.exit(0);
}
