/**
 * `npm run soak:fleet`: ten minutes, a gateway before four nodes, all processes of their own on this machine, mixed load with
 * clients that leave; every ten seconds a random node is killed with -9 and started again. Fails unless every request settled
 * once, and every text is that which a node by itself has given.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { startNats } from '../test/fleet/support/nats-server.ts';
import { flagsOf } from './flags.ts';
import { askFleet, type FleetEnding } from './soak/fleet-client.ts';
import { FLEET_REQUESTS } from './soak/fleet-requests.ts';
import { seeded } from './soak/random.ts';
import { startTroupe, type TroupeProcess } from './soak/troupe-process.ts';

const HELP = `Usage: npm run soak:fleet [-- options]

Options:
  --seconds N     how long (default: 600)
  --nodes N       how many (default: 4)
  --clients N     how many ask at once (default: 12)
  --kill-every N  seconds between two kills (default: 10)
  --seed N        of all choices (default: 1)
  --help          show this
`;

const values = flagsOf(HELP, {
  seconds: { type: 'string', default: '600' },
  nodes: { type: 'string', default: '4' },
  clients: { type: 'string', default: '12' },
  'kill-every': { type: 'string', default: '10' },
  seed: { type: 'string', default: '1' },
});
const seconds = Number(values.seconds);
const LEAVES = 0.15;
const LEAVES_WITHIN_MS = 600;
const STREAMS = 0.75;
const SHOWN = 20;

const random = seeded(Number(values.seed));
const single = await startTroupe(['serve', '--log-level', 'info']);
const expected = new Map<object, string>();
for (const { body } of FLEET_REQUESTS) {
  const { text } = await askFleet(single.url, {
    body,
    expected: undefined,
    stream: false,
    leavesAfterMs: undefined,
  });
  expected.set(body, text);
}
single.child.kill('SIGTERM');

await using nats = await startNats();
const startNode = () => startTroupe(['serve', '--nats', nats.url, '--pd-threads', '1']);
const nodes = await Promise.all(Array.from({ length: Number(values.nodes) }, startNode));
const moves = { before: 0, within: 0, tokens: 0 };
const gateway = await startTroupe(['gateway', '--nats', nats.url, '--max-queued', '256'], (line) => {
  if (line.msg !== 'request given to another node') return;
  if (line.tokens === 0) moves.before += 1;
  else moves.within += 1;
  moves.tokens += Number(line.tokens);
});
console.log(
  `${values.clients} clients for ${seconds} s before ${nodes.length} nodes, ${FLEET_REQUESTS.length} requests`,
);

const end = performance.now() + seconds * 1000;
const endings: Record<FleetEnding, number> = {
  ...{ equal: 0, different: 0, refused: 0, failed: 0, cut: 0, left: 0, unsettled: 0 },
};
const wrong: string[] = [];

const client = async (index: number) => {
  const own = seeded(Number(values.seed) * 1000 + index);
  while (performance.now() < end) {
    const { body } = FLEET_REQUESTS[Math.floor(own() * FLEET_REQUESTS.length)] ?? { body: {} };
    const leavesAfterMs = own() < LEAVES ? own() * LEAVES_WITHIN_MS : undefined;
    const asking = { body, expected: expected.get(body), stream: own() < STREAMS, leavesAfterMs };
    const { ending, why } = await askFleet(gateway.url, asking);
    endings[ending] += 1;
    if (why !== undefined && wrong.length < SHOWN) wrong.push(`${ending}: ${why}`);
    if (ending === 'refused' || ending === 'failed') await pause(100);
  }
};

let kills = 0;
const killer = async () => {
  const every = Number(values['kill-every']) * 1000;
  const restarts = new Map<number, Promise<void>>();
  for (let next = performance.now() + every; next < end; next += every) {
    await pause(Math.max(0, next - performance.now()));
    const at = Math.floor(random() * nodes.length);
    await restarts.get(at); // it was killed just before, and is not back yet
    const node = nodes[at] as TroupeProcess; // the index is below the length
    node.child.kill('SIGKILL');
    kills += 1;
    restarts.set(
      at,
      startNode().then((started) => {
        nodes[at] = started;
      }),
    );
  }
  await Promise.all(restarts.values());
};

await Promise.all([killer(), ...Array.from({ length: Number(values.clients) }, (_, i) => client(i))]);
const left = await settled();
const requests = Object.values(endings).reduce((sum, count) => sum + count, 0);
console.log(`requests    ${requests}: ${JSON.stringify(endings)}`);
console.log(`kills       ${kills}`);
console.log(
  `moved       ${moves.before} before their first token, ${moves.within} continued behind ${moves.tokens} tokens`,
);
console.log(`left over   ${JSON.stringify(left)}`);
for (const why of wrong) console.log(`not right   ${why}`);
if (
  endings.different + endings.cut + endings.unsettled + endings.failed > 0 ||
  left.running + left.waiting > 0
) {
  process.exitCode = 1;
}
for (const { child } of [gateway, ...nodes]) {
  child.kill('SIGTERM');
}

/** What runs and waits in the gateway and in all nodes, once those who left have been noticed. */
async function settled(): Promise<{ running: number; waiting: number }> {
  for (let tries = 0; ; tries++) {
    const all = await Promise.all(
      [gateway, ...nodes].map(
        async ({ url }) => JSON.parse(await (await fetch(`${url}/health`)).text()).requests,
      ),
    );
    const running = all.reduce((sum, one) => sum + one.running, 0);
    const waiting = all.reduce((sum, one) => sum + one.waiting, 0);
    if ((running === 0 && waiting === 0) || tries === 100) return { running, waiting };
    await pause(100);
  }
}
