/** The wire form of a ref. */
import type { RoutingPolicyName } from '../routing/routing-policy.ts';
import type { PortToken } from '../transport/port.ts';

export interface RefToken {
  readonly name: string;
  readonly policy: RoutingPolicyName;
  /** Where the members live: on threads of their own, or on the thread of the system. */
  readonly transport: 'thread' | 'local';
  /** The port on which members come and go. */
  readonly feed: PortToken;
}
