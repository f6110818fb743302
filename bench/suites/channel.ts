/** What it costs to talk to a thread: round trips one at a time and many at once, messages without an answer, streams, memory. */

import { endsWithin } from '../../runtime/util/timers.ts';
import type { EchoChannel, FlowChannel } from '../channels/channel.ts';
import { openMessagePort } from '../channels/message-port.ts';
import { openMessagePortFlow } from '../channels/message-port-flow.ts';
import { openTroupe, openTroupeFlow } from '../channels/troupe.ts';
import { measure, ratioOf, type Task } from '../measure.ts';
import type { Claim, Suite, SuiteOptions, Table } from '../suite.ts';

const MESSAGE = { id: 1, text: 'a message of some forty characters, or so' };
const MANY = 2_000;
const SMALL_BYTES = 100;
const LARGE_BYTES = 16 * 1024 * 1024;

export const channelSuite: Suite = {
  name: 'channel',
  description:
    'round trips, tells, streams and moved memory between two threads against MessagePort and eight libraries',
  shows: 'that an ask costs less than a MessagePort with a map of promises, and that memory moves at no cost',
  async run(options) {
    const all: RoundTrips[] = [];
    for (const inFlight of IN_FLIGHT) all.push(await roundTrips(inFlight, options));
    const flows = await withFlows((channels) => inTurn(channels, options));
    const tables = [...all.flatMap(({ burst, pipeline }) => [burst, ...pipeline]), ...flows.tables];
    return { tables, claims: [...all.flatMap(roundTripClaims), ...flows.claims] };
  },
};

const IN_FLIGHT = [1, 8, 32, 1_000] as const;

/** A library whose end does not come holds up nobody else: poolifier's `destroy` never settled once, its thread gone. */
const CLOSE_MS = 10_000;

async function closeInTime(channel: EchoChannel): Promise<void> {
  if (!(await endsWithin(CLOSE_MS, channel.close()))) console.warn(`${channel.name} does not close`);
}

interface RoundTrips {
  readonly inFlight: number;
  /** So many at once, and the next ones when all of them are answered. */
  readonly burst: Table;
  /** Each answer is followed by the next question at once. Of one in flight it would be the same. */
  readonly pipeline: readonly Table[];
}

async function roundTrips(inFlight: number, options: SuiteOptions): Promise<RoundTrips> {
  const baseline = await openMessagePort();
  // Loaded when they are needed: a bundle for a bare machine has no peers.
  const peers = await import('../channels/peers.ts');
  const troupe = await openTroupe();
  const libraries = [
    await peers.openComlink(),
    await peers.openPiscina(inFlight),
    await peers.openTinypool(inFlight),
    await peers.openWorkerpool(),
    await peers.openPoolifier(),
    await peers.openThreadsJs(),
    await peers.openEffect(),
  ];
  try {
    const compare = (title: string, operations: number, run: (channel: EchoChannel) => Promise<unknown>) => {
      const task = (channel: EchoChannel): Task => ({
        name: channel.name,
        operations,
        run: () => run(channel),
      });
      return measure(title, 'round trip', [task(baseline), task(troupe), ...libraries.map(task)], options);
    };
    const title =
      inFlight === 1 ? 'Round trip, one in flight' : `Round trips, ${inFlight} in flight, in bursts`;
    const burst = await compare(title, inFlight, (channel) =>
      Promise.all(Array.from({ length: inFlight }, () => channel.echo(MESSAGE))),
    );
    if (inFlight === 1) return { inFlight, burst, pipeline: [] };
    const always = `Round trips, always ${inFlight} in flight`;
    const pipeline = await compare(always, MANY, (channel) => inPipeline(channel, inFlight));
    return { inFlight, burst, pipeline: [pipeline] };
  } finally {
    await baseline.close();
    await troupe.close();
    for (const library of libraries) await closeInTime(library);
  }
}

async function inPipeline(channel: EchoChannel, inFlight: number): Promise<void> {
  let left = MANY;
  const lane = async () => {
    while (left-- > 0) await channel.echo(MESSAGE);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

type Flows = readonly [baseline: FlowChannel, troupe: FlowChannel];

async function withFlows<T>(use: (channels: Flows) => Promise<T>): Promise<T> {
  const channels: Flows = [await openMessagePortFlow(), await openTroupeFlow()];
  try {
    return await use(channels);
  } finally {
    for (const channel of channels) await channel.close();
  }
}

async function inTurn(channels: Flows, options: SuiteOptions): Promise<{ tables: Table[]; claims: Claim[] }> {
  const [baseline, troupe] = channels;
  const compare = (
    title: string,
    unit: string,
    operations: number,
    run: (channel: FlowChannel) => unknown,
  ) => {
    const task = (channel: FlowChannel): Task => ({
      name: channel.name,
      operations,
      run: () => run(channel),
    });
    return measure(title, unit, [task(baseline), task(troupe)], options);
  };
  const told = await compare('Messages without an answer', 'message', MANY, (channel) =>
    channel.tell(MESSAGE, MANY),
  );
  const read = await compare('Items of a stream', 'item', MANY, (channel) => channel.read(MANY));
  const moved = await movedMemory(troupe, options);
  return {
    tables: [told, read, moved],
    claims: [
      atLeast('tell: times as fast as a MessagePort', ratioOf(told, troupe.name), 2),
      atLeast('stream items: times as fast as a MessagePort', ratioOf(read, troupe.name), 2),
      {
        text: '16 MB moved there and back, times the time of 100 bytes',
        measured: 1 / ratioOf(moved, '16 MB'),
        unit: '×',
        goal: { atMost: 1.3 },
      },
    ],
  };
}

async function movedMemory(channel: FlowChannel, options: SuiteOptions): Promise<Table> {
  const buffers = new Map([SMALL_BYTES, LARGE_BYTES].map((bytes) => [bytes, new ArrayBuffer(bytes)]));
  const task = (name: string, bytes: number): Task => ({
    name,
    run: async () => {
      buffers.set(bytes, await channel.move(buffers.get(bytes) ?? new ArrayBuffer(bytes)));
    },
  });
  const tasks = [task('100 bytes', SMALL_BYTES), task('16 MB', LARGE_BYTES)] as const;
  return await measure('Memory moved there and back', 'round trip', tasks, options);
}

function roundTripClaims({ inFlight, burst, pipeline }: RoundTrips): Claim[] {
  if (inFlight === 1) return [againstPort('ask, one in flight', burst, 0.9)];
  return [burst, ...pipeline].flatMap((table) => {
    const loads = `ask, ${table === burst ? '' : 'always '}${inFlight} in flight`;
    if (inFlight < 32) return [againstPort(loads, table, 0.9)];
    return [againstPort(loads, table, 1.5), ...againstPeers(loads, table)];
  });
}

const ASK = 'Troupe ask';

function againstPort(load: string, table: Table, goal: number): Claim {
  const text = `${load}: times as fast as a MessagePort with a map of promises`;
  return atLeast(text, ratioOf(table, ASK), goal);
}

function againstPeers(load: string, table: Table): Claim[] {
  const peers = table.rows.filter(({ name }) => name !== ASK && name !== table.baseline);
  return peers.map(({ name }) => {
    const goal = name === 'comlink' ? 5 : name === 'piscina.run' ? 3 : 1;
    return atLeast(`${load}: times as fast as ${name}`, ratioOf(table, ASK) / ratioOf(table, name), goal);
  });
}

function atLeast(text: string, measured: number, goal: number): Claim {
  return { text, measured, unit: '×', goal: { atLeast: goal } };
}
