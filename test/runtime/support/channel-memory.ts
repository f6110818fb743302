import { FlowSender } from '../../../runtime/channel/flow-control.ts';
import { UnderWay } from '../../../runtime/channel/under-way.ts';
import type { ChannelToken } from '../../../runtime/wire/messages.ts';

/** Shared memory of a channel to an actor that has no other. */
export function channelMemory(): Omit<ChannelToken, 'port'> {
  return { flow: FlowSender.createBuffer(), ...new UnderWay().channel() };
}
