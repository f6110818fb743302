/** Round trips of a small message between two threads, one at a time and many at once. */
import type { EchoChannel } from '../channels/channel.ts';
import { openComlink } from '../channels/comlink.ts';
import { openMessagePort } from '../channels/message-port.ts';
import { openPiscina } from '../channels/piscina.ts';
import { openTroupe } from '../channels/troupe.ts';
import { measure, type Task } from '../measure.ts';
import type { Suite, SuiteOptions, Table } from '../suite.ts';

const IN_FLIGHT = 32;
const MESSAGE = { id: 1, text: 'a message of some forty characters, or so' };

export const channelSuite: Suite = {
  name: 'channel',
  description: 'round trip between two threads against MessagePort, comlink and piscina',
  async run(options) {
    return { tables: [await compare(1, options), await compare(IN_FLIGHT, options)] };
  },
};

async function compare(inFlight: number, options: SuiteOptions): Promise<Table> {
  const baseline = await openMessagePort();
  const others = [await openTroupe(), await openComlink(), await openPiscina(inFlight)];
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
