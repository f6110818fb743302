/** The page at `/` and its files, read once. They may load nothing from elsewhere and be framed by nobody. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { PACKAGE_ROOT } from '../../package-root.ts';

const FOLDER = join(PACKAGE_ROOT, 'src', 'playground', 'page');

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

const PAGE_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  'cache-control': 'no-cache',
} as const;

export function playgroundRoutes(app: FastifyInstance): void {
  for (const file of readdirSync(FOLDER)) {
    const type = TYPES[extname(file)];
    if (type === undefined) continue;
    const content = readFileSync(join(FOLDER, file));
    const url = file === 'index.html' ? '/' : `/playground/${file}`;
    app.get(url, (_request, reply) => reply.type(type).headers(PAGE_HEADERS).send(content));
  }
}
