import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { TroupeServer } from '../../src/server/serve.ts';
import { idle, startServer } from '../server/support/server.ts';
import { described, pictureBytes } from '../src/cli/support/pictures.ts';
import { launchBrowser, noBrowser } from './browser.ts';

const ANSWER = described.greedy.trim();

/** Drops a file on the page, as a person does with a mouse. */
async function dropFile(page: Page, bytes: Buffer, name: string, type: string): Promise<void> {
  const file = { base64: bytes.toString('base64'), name, type };
  const dataTransfer = await page.evaluateHandle(({ base64, name, type }) => {
    const data = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([data], name, { type }));
    return transfer;
  }, file);
  await page.dispatchEvent('#drop', 'drop', { dataTransfer });
}

describe('the page of a server, in a browser', { skip: noBrowser }, () => {
  let server: TroupeServer;
  let browser: Browser;
  let page: Page;
  let requested: string[];
  let complaints: string[];

  before(async () => {
    server = await startServer();
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });
  const open = async (options: Parameters<Browser['newContext']>[0] = {}) => {
    const context = await browser.newContext({
      permissions: ['clipboard-read', 'clipboard-write'],
      ...options,
    });
    page = await context.newPage();
    requested = [];
    complaints = [];
    page.on('request', (request) => requested.push(request.url()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      // A refused request is shown on the page; the console's line about it is the browser's own.
      if (message.type() === 'error' && !/status of [45]/.test(message.text()))
        complaints.push(message.text());
    });
    await page.goto(server.url);
  };
  afterEach(async () => {
    const outside = requested.filter((url) => !url.startsWith(server.url) && !url.startsWith('data:'));
    assert.deepEqual(outside, []);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  it('takes a dropped image and a question, and shows the answer as it comes, its usage and its times', async () => {
    await open();
    await dropFile(page, pictureBytes(), 'picture.png', 'image/png');
    await page.getByRole('img', { name: 'picture.png' }).waitFor();
    await page.getByRole('textbox', { name: 'Question' }).fill(described.question);
    // What is seen of the answer, piece by piece.
    await page.evaluate(() => {
      const seen: string[] = [];
      const answer = document.querySelector('#answer');
      if (answer === null) return;
      new MutationObserver(() => seen.push(answer.textContent ?? '')).observe(answer, { childList: true });
      Object.assign(window, { seen });
    });
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByText('Between tokens').waitFor();
    assert.equal(await page.locator('#answer').textContent(), ANSWER);
    const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
    assert(new Set(seen).size > 2, `streamed in ${seen.length} pieces`);
    const facts = await page.locator('#facts').innerText();
    assert.match(facts, /for images\s+25 tokens/);
    assert.match(facts, /First token\s+[\d.]+ ms/);
  });

  it('goes on with the conversation, and begins a new one', async () => {
    await open();
    const bodies: { messages: { role: string; content: unknown }[] }[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/completions')) bodies.push(request.postDataJSON());
    });
    const ask = async (question: string) => {
      await page.getByRole('textbox', { name: 'Question' }).fill(question);
      await page.keyboard.press('Control+Enter');
      await page.locator('#answer[aria-busy="false"]').waitFor();
      await page.getByText('Between tokens').waitFor();
      return await page.locator('#answer').textContent();
    };
    await dropFile(page, pictureBytes(), 'picture.png', 'image/png');
    await page.getByRole('img', { name: 'picture.png' }).waitFor();
    assert.equal(await ask(described.question), ANSWER);
    await ask('And what is beside it?');
    assert.deepEqual(
      bodies.at(-1)?.messages.map(({ role }) => role),
      ['user', 'assistant', 'user'],
    );
    assert.equal(bodies.at(-1)?.messages[1]?.content, ANSWER);
    const earlier = page.getByRole('list', { name: 'Earlier turns' });
    assert.equal(await earlier.getByText(ANSWER).count(), 1);
    await page.getByRole('button', { name: 'New conversation' }).click();
    await ask('What do you see?');
    assert.equal(bodies.at(-1)?.messages.length, 1);
    assert.equal(await earlier.getByRole('listitem').count(), 0);
  });

  it('shows how likely each token was, under the pointer and by the arrow keys', async () => {
    await open();
    await page.getByText('Settings').click();
    await page.getByRole('checkbox', { name: /how likely/ }).check();
    await dropFile(page, pictureBytes(), 'picture.png', 'image/png');
    await page.getByRole('img', { name: 'picture.png' }).waitFor();
    await page.getByRole('textbox', { name: 'Question' }).fill(described.question);
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByText('Between tokens').waitFor();
    assert.equal(await page.locator('#answer').textContent(), ANSWER);
    const tokens = page.locator('#answer .token');
    await tokens.first().hover();
    const shown = page.locator('#likely li').first();
    assert.match((await shown.textContent()) ?? '', /^"[^"]+" \d+\.\d %$/);
    assert.equal(await page.locator('#likely li').count(), 5);
    const before = await shown.textContent();
    await page.locator('#answer').focus();
    await page.keyboard.press('ArrowRight');
    assert.notEqual(await shown.textContent(), before);
  });

  it('says what is wrong with a schema before it is sent', async () => {
    await open();
    await page.getByText('Schema of the answer').click();
    await page.getByRole('textbox', { name: /JSON schema/ }).fill('{"type":');
    await page.locator('#schema-problem', { hasText: 'No JSON' }).waitFor();
    await page.getByRole('textbox', { name: 'Question' }).fill('What do you see?');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'No JSON' }).waitFor();
    await page.locator('#schema-box').getByRole('button', { name: 'Take an example' }).click();
    await page.locator('#schema-problem', { hasText: 'fine' }).waitFor();
  });

  it('shows an answer that keeps to a schema as a tree', async () => {
    await open();
    await page.getByText('Schema of the answer').click();
    await page.locator('#schema-box').getByRole('button', { name: 'Take an example' }).click();
    await page.getByRole('textbox', { name: 'Question' }).fill('What do you see?');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByText('Between tokens').waitFor();
    const said = JSON.parse((await page.locator('#answer').textContent()) ?? '');
    const tree = page.locator('#tree');
    assert.equal(await tree.locator('summary').first().textContent(), 'object, 2 fields');
    assert.equal(await tree.getByText('color', { exact: true }).count(), said.shapes.length);
  });

  it('shows calls of tools, and gives results back', async () => {
    await open();
    await page.getByText('Tools', { exact: true }).click();
    await page.locator('#tools-box').getByRole('button', { name: 'Take an example' }).click();
    await page.getByRole('combobox', { name: 'It calls' }).selectOption('required');
    await page.getByRole('textbox', { name: 'Question' }).fill('What do you see?');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    const calls = page.getByRole('list', { name: 'Calls of tools' });
    await calls.getByText('factor').first().waitFor();
    await calls.getByRole('textbox', { name: 'Result of zoom' }).first().fill('a red ring');
    await page.getByRole('combobox', { name: 'It calls' }).selectOption('none');
    const sent = page.waitForRequest((request) => request.url().endsWith('/completions'));
    await calls.getByRole('button', { name: 'Give back' }).click();
    const roles = (await sent).postDataJSON().messages.map(({ role }: { role: string }) => role);
    assert.deepEqual(roles.slice(0, 3), ['user', 'assistant', 'tool']);
    await page.getByText('Between tokens').waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
  });

  it('copies the answer', async () => {
    await open();
    await page.getByRole('textbox', { name: 'Question' }).fill('What do you see?');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Between tokens').waitFor();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(copied, await page.locator('#answer').textContent());
  });

  it('stops an answer, and with it the compute', async () => {
    await open();
    await page.route('**/v1/chat/completions', async (route) => {
      const body = { ...route.request().postDataJSON(), repetition_penalty: 1000, frequency_penalty: -2 };
      await route.continue({
        postData: JSON.stringify({ ...body, presence_penalty: -2, max_completion_tokens: 1900 }),
      });
    });
    await page.getByRole('textbox', { name: 'Question' }).fill('What do you see?');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.waitForFunction(() => (document.querySelector('#answer')?.textContent ?? '') !== '');
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.locator('#answer[aria-busy="false"]').waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
    await idle(server);
    const { actors } = await server.engine.stats();
    assert(Number(actors.find(({ name }) => name === 'aggregated/0')?.stats?.cancelled) >= 1);
  });

  it('shows what the server refuses, and goes on', async () => {
    await open();
    await dropFile(page, Buffer.from('no picture'), 'broken.png', 'image/png');
    await page.getByRole('textbox', { name: 'Question' }).fill('What is this?');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page
      .getByRole('alert')
      .filter({ hasText: /no image of a supported format.*\(400\)/ })
      .waitFor();
    await page.getByRole('button', { name: 'Remove broken.png' }).click();
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByText('Between tokens').waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
  });

  it('takes a file that is no image for none', async () => {
    await open();
    await dropFile(page, Buffer.from('text'), 'notes.txt', 'text/plain');
    await page.getByRole('alert').filter({ hasText: 'notes.txt is no image.' }).waitFor();
  });

  it('shows the actors with their load', async () => {
    await open();
    await page.getByRole('row', { name: /aggregated\/0 up/ }).waitFor();
    await page.getByRole('row', { name: /processor\/0 up/ }).waitFor();
    await page.getByText(/^ready$/).waitFor();
    server.engine.crash('aggregated/0');
    await page.getByRole('row', { name: /aggregated\/0 up .* 1$/ }).waitFor();
  });

  it('can be used by keyboard alone', async () => {
    await open();
    await page.keyboard.type('What do you see?'); // the question has the focus
    const reached: string[] = [];
    for (let i = 0; i < 5; i++) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate(() => document.activeElement?.textContent?.trim() ?? ''));
    }
    assert(reached.includes('Settings') && reached.includes('Ask'), reached.join());
    await page.keyboard.press('Control+Enter');
    await page.getByText('Between tokens').waitFor();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has enough contrast in ${colorScheme}`, async () => {
      await open({ colorScheme });
      for (const selector of ['body', '.hint', '#send', 'th', '#model']) {
        const ratio = await page.locator(selector).first().evaluate(contrastOf);
        assert(ratio >= 4.5, `${selector}: ${ratio.toFixed(2)}`); // WCAG 2.2, level AA
      }
    });
  }
});

/** Of an element's text with the nearest ground behind it. Runs in the page. */
function contrastOf(element: Element): number {
  const channels = (color: string): number[] => {
    const context = document.createElement('canvas').getContext('2d');
    if (context === null) return [0, 0, 0, 0];
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color: number[]): number => {
    const [r = 0, g = 0, b = 0] = color.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind: Element | null = element;
  while (behind !== null && channels(getComputedStyle(behind).backgroundColor)[3] === 0)
    behind = behind.parentElement;
  const text = luminance(channels(getComputedStyle(element).color));
  const ground = luminance(channels(getComputedStyle(behind ?? document.body).backgroundColor));
  return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
}
