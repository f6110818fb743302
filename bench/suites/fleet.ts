/**
 * What a gateway costs: time to the first token through it and without it, in turns; tokens that it carries a second of its
 * processor's time, beside bare requests over NATS; and how many repeated pictures four nodes find encoded, beside one node.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seeded } from '../../scripts/soak/random.ts';
import { startTroupe, type TroupeProcess } from '../../scripts/soak/troupe-process.ts';
import { NO_NATS, startNats } from '../../test/fleet/support/nats-server.ts';
import { PILOT_MODEL } from '../../test/support/pilot-model.ts';
import { makePicture } from '../picture.ts';
import type { Suite } from '../suite.ts';

const FLEET_NODES = 4;
const STREAMS = 32;
const GOES_ON = { repetition_penalty: 1000, frequency_penalty: -2, presence_penalty: -2, max_tokens: 500 };
const TEXT = [{ role: 'user', content: 'What do you see?' }];

export const fleetSuite: Suite = {
  name: 'fleet',
  description: 'what a gateway before nodes costs, and repeated pictures over four nodes (needs nats-server)',
  shows: 'first token <= 3 ms later, >= 3,000 tokens/s a core, hits >= 90 % of one node',
  async run({ quick }) {
    if (NO_NATS) return { skipped: NO_NATS };
    await using nats = await startNats();
    const single = await start('serve', '--pd-threads', '1');
    const node = await start('serve', '--pd-threads', '1', '--nats', nats.url);
    const gateway = await start('gateway', '--nats', nats.url);
    const added = await firstTokens(node.url, gateway.url, quick ? 30 : 300);
    const carried = await tokensPerCpuSecond(gateway, quick ? 1 : 4);
    const bare = await bareRequests(nats.url, quick ? 2_000 : 20_000);
    const more = await Promise.all(
      Array.from({ length: FLEET_NODES - 1 }, () => start('serve', '--pd-threads', '1', '--nats', nats.url)),
    );
    const hits = await repeatedPictures(single.url, gateway.url, [node, ...more], quick ? 60 : 300);
    for (const { child } of [gateway, node, single, ...more]) {
      child.kill('SIGTERM');
    }
    return {
      figures: [
        {
          title: 'A gateway, pilot model',
          rows: [
            { name: 'time to first token, node', value: added.node, unit: 'ms' },
            { name: 'time to first token, gateway', value: added.gateway, unit: 'ms' },
            { name: "streamed tokens a second of the gateway's processor time", value: carried, unit: '/s' },
            { name: 'bare requests over NATS a second of processor time', value: bare, unit: '/s' },
            { name: 'tokens to bare requests', value: carried / bare, unit: '×' },
            { name: 'repeated pictures found, one node', value: 100 * hits.single, unit: '%' },
            { name: `repeated pictures found, ${FLEET_NODES} nodes`, value: 100 * hits.fleet, unit: '%' },
          ],
        },
      ],
      claims: [
        {
          text: 'A gateway adds to the first token',
          measured: added.gateway - added.node,
          unit: ' ms',
          goal: { atMost: 3 },
        },
        {
          text: 'Streamed tokens a second and core of a gateway',
          measured: carried,
          unit: '/s',
          goal: { atLeast: 3_000 },
        },
        {
          text: 'Pictures found encoded by four nodes, of those that one finds',
          measured: (100 * hits.fleet) / hits.single,
          unit: ' %',
          goal: { atLeast: 90 },
        },
      ],
    };
  },
};

function start(command: string, ...args: readonly string[]): Promise<TroupeProcess> {
  const model = command === 'serve' ? ['--model', PILOT_MODEL, '--model-name', 'pilot'] : [];
  return startTroupe([command, ...model, ...args, '--log-level', 'info']);
}

function ask(url: string, body: object): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** Medians, ms, asked in turns. */
async function firstTokens(node: string, gateway: string, rounds: number) {
  const times: Record<string, number[]> = { [node]: [], [gateway]: [] };
  for (let round = -5; round < rounds; round++) {
    for (const url of [node, gateway]) {
      const startedAt = performance.now();
      const response = await ask(url, { messages: TEXT, max_tokens: 1, stream: true });
      const reader = response.body?.getReader();
      await reader?.read();
      const ms = performance.now() - startedAt;
      while ((await reader?.read())?.done === false);
      if (round >= 0) times[url]?.push(ms);
    }
  }
  return { node: median(times[node] ?? []), gateway: median(times[gateway] ?? []) };
}

async function tokensPerCpuSecond(gateway: TroupeProcess, rounds: number): Promise<number> {
  const before = cpuSeconds(gateway.child.pid ?? 0);
  let tokens = 0;
  for (let round = 0; round < rounds; round++) {
    const streams = Array.from({ length: STREAMS }, async () => {
      const body = { messages: TEXT, ...GOES_ON, stream: true, stream_options: { include_usage: true } };
      const text = await (await ask(gateway.url, body)).text();
      tokens += Number(/"completion_tokens":(\d+)/.exec(text)?.[1]);
    });
    await Promise.all(streams);
  }
  return tokens / (cpuSeconds(gateway.child.pid ?? 0) - before);
}

/** One after the other, asker and answerer in this process: what the client library and the wire alone cost. */
async function bareRequests(url: string, requests: number): Promise<number> {
  // Loaded when it is needed: a bundle for a bare machine has no peers.
  const { connect } = await import('@nats-io/transport-node');
  const nats = await connect({ servers: url });
  nats.subscribe('bare', { callback: (_, message) => void message.respond(message.data) });
  const payload = new TextEncoder().encode('{"text":" token","tokenIds":[1]}');
  const before = process.cpuUsage();
  for (let i = 0; i < requests; i++) await nats.request('bare', payload);
  const { user, system } = process.cpuUsage(before);
  await nats.close();
  return requests / ((user + system) / 1e6);
}

async function repeatedPictures(
  single: string,
  gateway: string,
  nodes: readonly TroupeProcess[],
  requests: number,
) {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-fleet-'));
  const random = seeded(3);
  const pictures: string[] = [];
  for (let i = 0; i < Math.ceil(requests / 5); i++) {
    const path = join(folder, `${i}.png`);
    await makePicture(path, 64, i);
    pictures.push(`data:image/png;base64,${readFileSync(path).toString('base64')}`);
  }
  await rm(folder, { recursive: true });
  const asked = Array.from({ length: requests }, () => pictures[Math.floor(random() ** 2 * pictures.length)]);
  const rate = async (url: string, counters: readonly string[]) => {
    const before = await counts(counters);
    for (let at = 0; at < asked.length; at += 4) {
      const group = asked.slice(at, at + 4).map(async (image) => {
        const content = [
          { type: 'image_url', image_url: { url: image } },
          { type: 'text', text: 'What is this?' },
        ];
        await (await ask(url, { messages: [{ role: 'user', content }], max_tokens: 2 })).text();
      });
      await Promise.all(group);
    }
    const after = await counts(counters);
    return (after.hits - before.hits) / (after.queries - before.queries);
  };
  return {
    single: await rate(single, [single]),
    fleet: await rate(
      gateway,
      nodes.map(({ url }) => url),
    ),
  };
}

async function counts(urls: readonly string[]) {
  const texts = await Promise.all(urls.map(async (url) => await (await fetch(`${url}/metrics`)).text()));
  const sum = (name: string) =>
    texts.reduce(
      (all, text) => all + Number(new RegExp(`troupe_${name}\\{[^}]*\\} (\\d+)`).exec(text)?.[1] ?? 0),
      0,
    );
  return { hits: sum('mm_cache_hits_total'), queries: sum('mm_cache_queries_total') };
}

/** Of a process, all threads: user and system, as Linux counts them. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return ticks / 100;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
