/** `npm run picture`: the README's pictures of the playground page, made by asking a question on it in a browser. */
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { serve } from '../src/server/serve.ts';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const SIZE = { width: 1000, height: 740 };
const PICTURE = fileURLToPath(new URL('../examples/four-shapes.png', import.meta.url));
const QUESTION = 'What is in this image?';

await using server = await serve({ port: 0, mode: 'disaggregated', logger: pino({ level: 'silent' }) });
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
try {
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ viewport: SIZE, colorScheme });
    await page.goto(server.url);
    await page.setInputFiles('#files', PICTURE);
    await page.locator('#images img').waitFor();
    await page.fill('#question', QUESTION);
    await page.click('#send');
    await page.getByText('Between tokens').waitFor();
    await page.getByRole('row', { name: /pd\/0/ }).waitFor();
    const target = fileURLToPath(new URL(`../docs/playground-${colorScheme}.png`, import.meta.url));
    // Few colours, so that the picture is small.
    await sharp(await page.screenshot())
      .png({ palette: true, colours: 64, effort: 10 })
      .toFile(target);
    await page.close();
    process.stdout.write(`${target}\n`);
  }
} finally {
  await browser.close();
}
