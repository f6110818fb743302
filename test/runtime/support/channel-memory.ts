import { FlowSender } from '../../../runtime/channel/flow-control.ts';
import { type ChannelMemory, UnderWay } from '../../../runtime/channel/under-way.ts';

/** Shared memory of a channel to an actor that has no other. */
export function channelMemory(): ChannelMemory {
  return { flow: FlowSender.createBuffer(), underWay: new UnderWay().buffer };
}
