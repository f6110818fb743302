/** Troupe's `ask`: deadline, flow control by credits, errors as they are, survival of a restart. */
import { ActorSystem } from '../../runtime/index.ts';
import type { EchoChannel, FlowChannel } from './channel.ts';
import { echo } from './troupe-protocol.ts';

export async function openTroupe(): Promise<EchoChannel> {
  const system = new ActorSystem();
  const ref = await system.spawn(echo, undefined, { name: 'echo' });
  return {
    name: 'Troupe ask',
    echo: (message) => ref.ask('echo', message),
    close: () => system.stop(),
  };
}

/** `tell`, `stream` and `transfer`: bounded, and interrupted when nobody reads. */
export async function openTroupeFlow(): Promise<FlowChannel> {
  const system = new ActorSystem();
  const ref = await system.spawn(echo, undefined, { name: 'echo' });
  return {
    name: 'Troupe',
    async tell(message, count) {
      for (let i = 1; i < count; i++)
        if (ref.tell('take', message) !== 'sent') await ref.send('take', message);
      await ref.ask('echo', message);
    },
    async read(count) {
      for await (const _ of ref.stream('read', count, { window: 1_024 }));
    },
    move: (buffer) => ref.ask('move', buffer, { transfer: [buffer] }),
    close: () => system.stop(),
  };
}
