/** The page at `/` and its two files, read once. They may load nothing from elsewhere and be framed by nobody. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { PACKAGE_ROOT } from '../../package-root.ts';

const FOLDER = join(PACKAGE_ROOT, 'src', 'playground', 'page');

const FILES = [
  { url: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { url: '/playground/style.css', file: 'style.css', type: 'text/css; charset=utf-8' },
  { url: '/playground/main.js', file: 'main.js', type: 'text/javascript; charset=utf-8' },
] as const;

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
  for (const { url, file, type } of FILES) {
    const content = readFileSync(join(FOLDER, file));
    app.get(url, (_request, reply) => reply.type(type).headers(PAGE_HEADERS).send(content));
  }
}
