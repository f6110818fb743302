/** Every attack on the HTTP server that is tried, with what a client needs for it and nothing more. */
import { setInterval as every } from 'node:timers/promises';
import { type Attack, type Endings, pour, repeatedly, send, socket, type Target } from './attack.ts';
import { BODIES, largePicture } from './bodies.ts';

const HEAD = 'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
const LARGEST = 20 * 1024 * 1024;
/** As many as the server takes by default, and four times what one address may have. */
const CONNECTIONS = 1024;
/** As many as one address may have. */
const SHARE = 256;
/** 20 MiB each. */
const UPLOADS = 12;

const story = { messages: [{ role: 'user', content: 'Tell me a long story' }], max_tokens: 200 };
const STORY = Buffer.from(JSON.stringify(story));

type Flood = (target: Target, signal: AbortSignal, endings: Endings) => Promise<unknown>;

/** The same on many connections, again and again. */
function flood(name: string, what: string, connections: number, one: Flood): Attack {
  return { name, what, run: (...given) => repeatedly(connections, given[1], () => one(...given)) };
}

const sent =
  (options: (count: number) => Parameters<typeof send>[2]): Flood =>
  async (target, signal, endings) =>
    endings.add(await send(target, signal, options(count++)));
let count = 0;

const opened =
  (use: Parameters<typeof socket>[3]): Flood =>
  (target, signal, endings) =>
    socket(target, signal, endings, use);

const bodies = Object.entries(BODIES).map(([name, make]): Attack => {
  return {
    name,
    what: `${UPLOADS} connections that send such a body of 20 MiB again and again`,
    async run(target, signal, endings) {
      const body = Buffer.from(make());
      await repeatedly(UPLOADS, signal, async () => endings.add(await send(target, signal, { body })));
    },
  };
});

export const ATTACKS: readonly Attack[] = [
  flood(
    'silent bodies',
    '64 connections that announce 20 MiB and send one byte',
    64,
    opened((to) => to.write(`${HEAD}Content-Length: ${LARGEST}\r\n\r\n{`)),
  ),
  flood(
    'silent connections',
    `${CONNECTIONS} connections that send nothing`,
    CONNECTIONS,
    opened(() => {}),
  ),
  flood(
    'dripping heads',
    `${CONNECTIONS} connections whose head never ends`,
    CONNECTIONS,
    opened((to) => {
      to.write('GET /live HTTP/1.1\r\nHost: localhost\r\n');
      void (async () => {
        for await (const _ of every(1_000)) {
          if (!to.writable) return;
          to.write('X-A: b\r\n');
        }
      })();
    }),
  ),
  flood(
    'dripping bodies',
    `${SHARE} connections whose body comes byte by byte`,
    SHARE,
    opened((to) => {
      to.write(`${HEAD}Content-Length: 1000\r\n\r\n`);
      void (async () => {
        for await (const _ of every(1_000)) {
          if (!to.writable) return;
          to.write(' ');
        }
      })();
    }),
  ),
  flood(
    'kept connections',
    `${CONNECTIONS} connections that are kept after one request`,
    CONNECTIONS,
    opened((to) => to.write('GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n')),
  ),
  flood(
    'connections',
    `connections that are closed once they are open, ${SHARE} at a time`,
    SHARE,
    opened((to) => to.destroy()),
  ),
  flood(
    'other names',
    '220 connections, each request with another Authorization',
    220,
    sent((n) => ({ body: STORY, headers: { authorization: `Bearer name-${n}` } })),
  ),
  ...bodies,
  {
    name: 'large pictures',
    what: '4 connections that send a picture of 15 MB, as an honest client may',
    async run(target, signal, endings) {
      const body = Buffer.from(await largePicture());
      await repeatedly(4, signal, async () => endings.add(await send(target, signal, { body })));
    },
  },
  flood(
    'small bodies',
    `${SHARE} connections with bodies of 16 KiB of small values`,
    SHARE,
    sent(() => ({ body: SMALL })),
  ),
  flood(
    'tiny chunks',
    `${SHARE} connections with bodies in chunks of one byte`,
    SHARE,
    opened((to) => {
      to.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
      void pour(to, Buffer.from('1\r\n \r\n'.repeat(10_000)));
    }),
  ),
  flood(
    'pipelined requests',
    `${SHARE} connections with thousands of requests in one piece`,
    SHARE,
    opened(
      (to) => void pour(to, Buffer.from('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1_500))),
    ),
  ),
  flood(
    'long heads',
    `${SHARE} connections with heads of 16 KiB`,
    SHARE,
    sent(() => ({ method: 'GET', path: '/live', headers: LONG_HEADERS })),
  ),
  flood(
    'metrics',
    `${SHARE} connections that ask for /metrics`,
    SHARE,
    sent(() => ({ method: 'GET', path: '/metrics' })),
  ),
  flood(
    'unknown routes',
    '64 connections that send 20 MiB to a route that does not exist',
    64,
    sent(() => ({ path: '/none', body: BLANK })),
  ),
  flood(
    'expectations',
    `${SHARE} connections that wait to be asked for a body and send none`,
    SHARE,
    opened((to) => to.write(`${HEAD}Expect: 100-continue\r\nContent-Length: ${LARGEST}\r\n\r\n`)),
  ),
  flood(
    'upgrades',
    `${SHARE} connections that want another protocol`,
    SHARE,
    sent(() => ({ method: 'GET', path: '/live', headers: { connection: 'upgrade', upgrade: 'websocket' } })),
  ),
  flood(
    'slow readers',
    '64 streams that nobody reads',
    64,
    opened((to) => {
      const body = JSON.stringify({ ...story, stream: true });
      to.pause();
      to.write(`${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`);
    }),
  ),
];

const SMALL = Buffer.from(`{"messages":[${'1,'.repeat(8_000)}1]}`);
const BLANK = Buffer.alloc(LARGEST, ' ');
const LONG_HEADERS = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-${i}`, 'x'.repeat(240)]));
