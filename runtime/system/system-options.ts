/** How a system and its pools are made. */
import type { RoutingPolicyName } from '../routing/routing-policy.ts';
import type { RestartPolicy } from '../supervision/restart-policy.ts';

/** What the actors of a system share. */
export interface ActorSystemOptions {
  /** Arenas of shared memory for tensors, bytes by name. Memory is taken from the OS as it is used. */
  readonly arenas?: Readonly<Record<string, number>>;
  /** Arenas that only count, bytes by name: shares of memory that lies elsewhere, in blocks of 64 KiB. */
  readonly budgets?: Readonly<Record<string, number>>;
  /** Caches of tensors that all actors share, by name: the arena that the tensors lie in, and most bytes kept. */
  readonly caches?: Readonly<
    Record<
      string,
      {
        /** Name of one of `arenas`. */
        readonly arena: string;
        /** Most bytes kept; 0 keeps none. */
        readonly bytes: number;
      }
    >
  >;
  /** How long a stopping actor may finish what it does. Default 10,000 ms. */
  readonly stopGraceMs?: number;
}

/** How a pool of actors is named, sized, routed to and restarted. */
export interface SpawnOptions {
  /** Unique in the system; members are called `name/0`, `name/1`… */
  readonly name: string;
  /** Number of members. Default 1. */
  readonly size?: number;
  /** How a ref chooses among members with room. Default `least-loaded`. */
  readonly routing?: RoutingPolicyName;
  /** What differs from the default restart policy. */
  readonly restart?: Partial<RestartPolicy>;
}
