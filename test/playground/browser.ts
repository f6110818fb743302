/** A real browser, if there is one. */
import { existsSync } from 'node:fs';
import process from 'node:process';
import { type Browser, chromium } from 'playwright-core';

const CANDIDATES = [
  process.env.CHROMIUM_PATH ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** Path of a Chromium; undefined where there is none. */
export const CHROMIUM: string | undefined = CANDIDATES.find((path) => path !== '' && existsSync(path));

/** For `skip`: why a test of the page cannot run here, or false. */
export const noBrowser: string | false =
  CHROMIUM === undefined ? 'there is no Chromium on this machine (set CHROMIUM_PATH)' : false;

export function launchBrowser(): Promise<Browser> {
  // Chromium refuses its sandbox to root, who runs the tests in containers.
  return chromium.launch({
    ...(CHROMIUM && { executablePath: CHROMIUM }),
    args: ['--no-sandbox', '--disable-gpu'],
  });
}
