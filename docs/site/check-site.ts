/** Looks at the built site as a browser would get it: no dead link or anchor, and nothing that comes from elsewhere. */
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { check, LinkState } from 'linkinator';

/** What a browser loads by itself, rather than when somebody follows a link. */
const LOADED = [
  /<(?:script|img|source|iframe|audio|video|embed|object|track|input)\b[^>]*?\s(?:src|srcset|data)=["']?\s*(?:https?:)?\/\/[^"'\s>]+/gi,
  /<link\b(?=[^>]*\srel=["']?(?:stylesheet|icon|preload|preconnect|dns-prefetch|modulepreload))[^>]*?\shref=["']?(?:https?:)?\/\/[^"'\s>]+/gi,
  /@import\s+(?:url\()?["']?(?:https?:)?\/\/[^"')\s]+/gi,
  /url\(\s*["']?(?:https?:)?\/\/[^"')\s]+/gi,
];

/** @returns one line for each thing that is wrong, none when the site is whole */
export async function checkSite(folder: string): Promise<string[]> {
  return [...(await deadLinks(folder)), ...(await loadedFromElsewhere(folder))];
}

async function deadLinks(folder: string): Promise<string[]> {
  const { links } = await check({
    path: folder,
    recurse: true,
    checkFragments: true,
    checkCss: true,
    // The site is served from here for the check; the web is not asked.
    linksToSkip: async (link) => URL.parse(link)?.hostname !== '127.0.0.1',
  });
  const checked = links.filter(({ state }) => state === LinkState.OK);
  if (checked.length < 100) return [`only ${checked.length} links of the site were found`];
  return links
    .filter(({ state }) => state === LinkState.BROKEN)
    .map(({ url, parent }) => `dead link: ${url} in ${parent ?? 'the site'}`);
}

async function loadedFromElsewhere(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const file of glob('**/*.{html,css,svg}', { cwd: folder })) {
    const text = await readFile(join(folder, file), 'utf8');
    for (const pattern of LOADED) {
      for (const [match] of text.matchAll(pattern)) found.push(`loaded from elsewhere: ${match} in ${file}`);
    }
  }
  return found;
}
