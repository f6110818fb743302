/** What the tests of the documentation read off a Markdown file. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import GithubSlugger from 'github-slugger';
import MarkdownIt, { type Token } from 'markdown-it';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const parser = new MarkdownIt({ html: true });

export interface Document {
  /** Targets of links and pictures, in order, as they are written. */
  readonly links: readonly string[];
  /** What a link may name behind its `#`. */
  readonly anchors: ReadonlySet<string>;
}

/** @param file relative to the root of the project */
export function readDocument(file: string): Document {
  return parseDocument(readFileSync(ROOT + file, 'utf8'));
}

export function parseDocument(text: string): Document {
  const tokens = parser.parse(text, {});
  return {
    links: tokens.flatMap(linksOf),
    anchors: new Set([...headings(tokens), ...tokens.flatMap(idsOf)]),
  };
}

function linksOf(token: Token): string[] {
  const written = [token.attrGet('href'), token.attrGet('src')].flatMap((target) => target?.toString() ?? []);
  return [...written, ...htmlLinks(token), ...(token.children ?? []).flatMap(linksOf)];
}

const isHtml = ({ type }: Token): boolean => type === 'html_block' || type === 'html_inline';

function htmlLinks(token: Token): string[] {
  if (!isHtml(token)) return [];
  const attributes = [...token.content.matchAll(/\s(?:href|src|srcset)="([^"]*)"/g)];
  return attributes.flatMap(([, value = '']) =>
    value.split(/,\s+/).map((one) => one.trim().split(/\s+/)[0] ?? ''),
  );
}

function idsOf(token: Token): string[] {
  const own = isHtml(token) ? [...token.content.matchAll(/\s(?:id|name)="([^"]*)"/g)] : [];
  return [...own.map(([, id = '']) => id), ...(token.children ?? []).flatMap(idsOf)];
}

/** Slugs as code hosts and the site make them of the headings' words. */
function headings(tokens: readonly Token[]): string[] {
  const slugger = new GithubSlugger();
  return tokens.flatMap((token, index) => {
    if (token.type !== 'heading_open') return [];
    return [slugger.slug(plainText(tokens[index + 1]?.children ?? []))];
  });
}

function plainText(tokens: readonly Token[]): string {
  return tokens
    .map(({ type, content }) => (type === 'text' || type === 'code_inline' ? content : ''))
    .join('');
}
