/**
 * `node bench/channel-pace.ts`: how round trips between threads go, where nothing else can be had than a machine that others use,
 * too. Short slices of all sides in turn; of each what one `ask` costs in time and in time of a processor, and how often threads go to
 * sleep in a round of asks, which load changes least. `channel` (see `suites/`) is the measure for a quiet machine.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { median, quantile } from 'simple-statistics';
import { flagsOf } from '../scripts/flags.ts';
import type { EchoChannel } from './channels/channel.ts';

const HELP = `Usage: node bench/channel-pace.ts [options]

Options:
  --before DIR       another checkout of this repository: its \`ask\` is measured in turn with ours
  --in-flight N,N    asks at once (default: 1,8,32,1000)
  --rounds N         slices of each side (default: 150)
  --slice-ms N       how long one is (default: 4)
  --help             show this
`;

const flags = flagsOf(HELP, {
  before: { type: 'string' },
  'in-flight': { type: 'string', default: '1,8,32,1000' },
  rounds: { type: 'string', default: '150' },
  'slice-ms': { type: 'string', default: '4' },
});

const MESSAGE = { id: 1, text: 'a message of some forty characters, or so' };
const WARM_UP_MS = 500;

interface Slice {
  readonly usPerAsk: number;
  readonly cpuUsPerAsk: number;
  readonly sleepsPerRound: number;
}

interface Side {
  readonly name: string;
  readonly channel: EchoChannel;
}

async function open(): Promise<Side[]> {
  const { openMessagePort } = await import('./channels/message-port.ts');
  const { openTroupe } = await import('./channels/troupe.ts');
  const sides = [{ name: 'MessagePort', channel: await openMessagePort() }];
  if (flags.before !== undefined) {
    const url = pathToFileURL(resolve(flags.before, 'bench/channels/troupe.ts'));
    const other = (await import(url.href)) as { openTroupe: typeof openTroupe }; // the same file of another version
    sides.push({ name: 'Troupe before', channel: await other.openTroupe() });
  }
  return [...sides, { name: 'Troupe', channel: await openTroupe() }];
}

/** Rounds of so many asks, one after another, for so long. */
async function slice({ channel }: Side, inFlight: number, ms: number): Promise<Slice> {
  const cpu = process.cpuUsage();
  const { voluntaryContextSwitches } = process.resourceUsage();
  const begun = performance.now();
  let rounds = 0;
  let tookMs = 0;
  while (tookMs < ms) {
    await Promise.all(Array.from({ length: inFlight }, () => channel.echo(MESSAGE)));
    rounds += 1;
    tookMs = performance.now() - begun;
  }
  const { user, system } = process.cpuUsage(cpu);
  const asks = rounds * inFlight;
  return {
    usPerAsk: (tookMs * 1_000) / asks,
    cpuUsPerAsk: (user + system) / asks,
    sleepsPerRound: (process.resourceUsage().voluntaryContextSwitches - voluntaryContextSwitches) / rounds,
  };
}

async function compare(sides: readonly Side[], inFlight: number): Promise<void> {
  for (const side of sides) await slice(side, inFlight, WARM_UP_MS);
  const slices: Slice[][] = sides.map(() => []);
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const [index, side] of sides.entries())
      slices[index]?.push(await slice(side, inFlight, Number(flags['slice-ms'])));
  }
  const lower = (index: number, field: keyof Slice) =>
    quantile(
      (slices[index] ?? []).map((one) => one[field]),
      0.25,
    );
  const rows = sides.map(({ name }, index) => ({
    'in flight': inFlight,
    side: name,
    'µs an ask': lower(index, 'usPerAsk').toFixed(2),
    'µs of processor': lower(index, 'cpuUsPerAsk').toFixed(2),
    'sleeps a round': median((slices[index] ?? []).map((one) => one.sleepsPerRound)).toFixed(2),
    'times as fast': (lower(0, 'usPerAsk') / lower(index, 'usPerAsk')).toFixed(2),
    'in pairs': median(
      (slices[index] ?? []).map((one, round) => (slices[0]?.[round]?.usPerAsk ?? Number.NaN) / one.usPerAsk),
    ).toFixed(2),
  }));
  console.table(rows);
}

const sides = await open();
for (const inFlight of flags['in-flight'].split(',').map(Number)) await compare(sides, inFlight);
for (const { channel } of sides) await channel.close();
