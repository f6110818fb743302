/** The wire form of a ref. */
import type { FlowWindow } from '../channel/flow-control.ts';
import type { RoutingPolicyName } from '../routing/routing-policy.ts';
import type { PortToken } from '../transport/port.ts';
import type { WireError } from '../wire/wire-error.ts';

/** What all refs of a pool have in common. */
export interface PoolFacts {
  readonly name: string;
  readonly policy: RoutingPolicyName;
  /** Names of all members, whether they are there or not. */
  readonly members: readonly string[];
  /** Where the members live: on threads of their own, or on the thread of the system. */
  readonly transport: 'thread' | 'local';
  /** How far each ref may be ahead of each member. */
  readonly window: FlowWindow;
  /** Messages of one priority that a ref holds back while no mailbox has room. */
  readonly outbox: number;
  /** Of a ref to one member: all its messages go there. */
  readonly only?: string | undefined;
}

export interface RefToken extends PoolFacts {
  /** The port on which members come and go. */
  readonly feed: PortToken;
  /** Why no member will come any more, if that is so. */
  readonly closed?: WireError | undefined;
}
