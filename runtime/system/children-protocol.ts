/** What an actor asks the system for when it spawns others (`children.ts`). */
import { type Blueprint, blueprint } from '../blueprint.ts';
import { ask, type Protocol, protocol } from '../protocol.ts';
import type { ActorRef } from '../ref/actor-ref.ts';
import type { StopReport } from './actor-system.ts';
import type { SpawnOptions } from './system-options.ts';

/** One incarnation of an actor. */
export interface Parent {
  /** `pool/0` */
  readonly name: string;
  readonly holder: number;
}

export interface SpawnRequest {
  readonly parent: Parent;
  /** URL of the actor's module. */
  readonly module: string;
  /** For each member its own, or one for all. */
  readonly args: { readonly each: readonly unknown[] } | { readonly all: unknown };
  readonly options: SpawnOptions;
}

export interface StopRequest {
  readonly parent: Parent;
  /** As it was given to `spawn`. */
  readonly name: string;
}

export const childrenProtocol = protocol('system', {
  spawn: ask<SpawnRequest, ActorRef<Protocol>>(),
  stop: ask<StopRequest, StopReport>(),
});

/** It lives beside the system and has no module. */
export const childrenActor: Blueprint<typeof childrenProtocol, void> = blueprint(
  childrenProtocol,
  import.meta.url,
  './children',
);

export type ChildrenRef = ActorRef<typeof childrenProtocol>;
