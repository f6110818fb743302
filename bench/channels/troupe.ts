/** Troupe's `ask`: deadline, flow control by credits, errors as they are, survival of a restart. */
import { ActorSystem } from '../../runtime/index.ts';
import type { EchoChannel } from './channel.ts';
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
