/** What it costs to talk to a thread: round trips one at a time and many at once, messages without an answer, streams, memory. */
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
    const [alone, few, some, many] = [
      await roundTrips(1, options),
      await roundTrips(8, options),
      await roundTrips(32, options),
      await roundTrips(1_000, options),
    ];
    const pipelines = await inPipelines([8, 32, 1_000], options);
    const flows = await withFlows((channels) => inTurn(channels, options));
    const tables = [alone, few, some, many, ...pipelines.tables, ...flows.tables];
    const claims = [...roundTripClaims(alone, few, some, many), ...pipelines.claims, ...flows.claims];
    return { tables, claims };
  },
};

async function roundTrips(inFlight: number, options: SuiteOptions): Promise<Table> {
  const baseline = await openMessagePort();
  // Loaded when they are needed: a bundle for a bare machine has no peers.
  const peers = await import('../channels/peers.ts');
  const others = [
    await openTroupe(),
    await peers.openComlink(),
    await peers.openPiscina(inFlight),
    await peers.openTinypool(inFlight),
    await peers.openWorkerpool(),
    await peers.openPoolifier(),
    await peers.openThreadsJs(),
    await peers.openEffect(),
  ];
  try {
    const title = inFlight === 1 ? 'Round trip, one in flight' : `Round trips, ${inFlight} in flight`;
    const task = (channel: EchoChannel): Task => ({
      name: channel.name,
      operations: inFlight,
      run: () => Promise.all(Array.from({ length: inFlight }, () => channel.echo(MESSAGE))),
    });
    return await measure(title, 'round trip', [task(baseline), ...others.map(task)], options);
  } finally {
    for (const channel of [baseline, ...others]) await channel.close();
  }
}

/** Each answer is followed by the next question at once, so that there are always so many; a burst ends before the next begins. */
async function inPipelines(
  inFlight: readonly number[],
  options: SuiteOptions,
): Promise<{ tables: Table[]; claims: Claim[] }> {
  const [baseline, troupe] = [await openMessagePort(), await openTroupe()];
  const pipeline = async (channel: EchoChannel, count: number): Promise<void> => {
    let left = MANY;
    const lane = async () => {
      while (left-- > 0) await channel.echo(MESSAGE);
    };
    await Promise.all(Array.from({ length: count }, lane));
  };
  const tables: Table[] = [];
  const claims: Claim[] = [];
  try {
    for (const count of inFlight) {
      const task = (channel: EchoChannel): Task => ({
        name: channel.name,
        operations: MANY,
        run: () => pipeline(channel, count),
      });
      const title = `Round trips, always ${count} in flight`;
      const measured = await measure(title, 'round trip', [task(baseline), task(troupe)], options);
      tables.push(measured);
      const text = `ask, always ${count} in flight: times as fast as a MessagePort with a map of promises`;
      claims.push(atLeast(text, ratioOf(measured, troupe.name), count < 32 ? 0.9 : 1.5));
    }
  } finally {
    for (const channel of [baseline, troupe]) await channel.close();
  }
  return { tables, claims };
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

function roundTripClaims(alone: Table, few: Table, some: Table, many: Table): Claim[] {
  const ask = 'Troupe ask';
  const claims = [
    atLeast(
      'ask, one in flight: times as fast as a MessagePort with a map of promises',
      ratioOf(alone, ask),
      0.9,
    ),
    atLeast('ask, 8 in flight: times as fast as a MessagePort with a map of promises', ratioOf(few, ask), 1),
  ];
  for (const [table, inFlight] of [
    [some, 32],
    [many, 1_000],
  ] as const) {
    const ratio = ratioOf(table, ask);
    claims.push(
      atLeast(
        `ask, ${inFlight} in flight: times as fast as a MessagePort with a map of promises`,
        ratio,
        1.5,
      ),
    );
    for (const { name } of table.rows) {
      if (name === ask || name === table.baseline) continue;
      const goal = name === 'comlink' ? 5 : name === 'piscina.run' ? 3 : 1;
      claims.push(
        atLeast(`ask, ${inFlight} in flight: times as fast as ${name}`, ratio / ratioOf(table, name), goal),
      );
    }
  }
  return claims;
}

function atLeast(text: string, measured: number, goal: number): Claim {
  return { text, measured, unit: '×', goal: { atLeast: goal } };
}
