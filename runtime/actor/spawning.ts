/** How an actor spawns others: it asks the system, which makes the threads (`system/children.ts`). */
import type { Blueprint } from '../blueprint.ts';
import { invalidOption } from '../errors.ts';
import type { Protocol } from '../protocol.ts';
import type { ActorRef } from '../ref/actor-ref.ts';
import type { SpawnRequest } from '../system/children-protocol.ts';
import { MOST_MEMBERS, type SpawnOptions } from '../system/system-options.ts';
import type { CellParts } from './actor-cell.ts';
import type { ActorContext } from './actor-context.ts';

/** @param stopping what is under way then is given up */
export function spawning(
  { name: actor, holder, children }: Pick<CellParts, 'name' | 'holder' | 'children'>,
  stopping: AbortSignal,
): Pick<ActorContext, 'spawn' | 'stopPool'> {
  const parent = { name: actor, holder };
  const how = { deadlineMs: Number.POSITIVE_INFINITY, signal: stopping };
  return {
    async spawn<Q extends Protocol, Args>(
      blueprint: Blueprint<Q, Args>,
      args: Args | ((index: number) => Args),
      options: SpawnOptions,
    ) {
      const name: unknown = options?.name;
      if (typeof name !== 'string' || name === '') throw invalidOption('name', name, 'give a text');
      const { module } = blueprint ?? {};
      if (typeof module !== 'string')
        throw invalidOption('blueprint', blueprint, 'give what `blueprint` made');
      const request = { parent, module, args: argsOf(args, options), options: cloneable(options) };
      const ref = (await children().ask('spawn', request, how)) as ActorRef<Q>; // of the blueprint's protocol
      await ref.connected;
      return ref;
    },
    stopPool: (name) => children().ask('stop', { parent, name }, how),
  };
}

/** A function does not travel: what it makes does, for as many members as there may be. */
function argsOf(args: unknown, { size = 1, elastic }: SpawnOptions): SpawnRequest['args'] {
  if (typeof args !== 'function') return { all: args };
  const most = Math.max(size, elastic?.max ?? 0);
  const length = most <= MOST_MEMBERS ? most : 0; // the system will say what is wrong
  return { each: Array.from({ length }, (_, index) => args(index)) };
}

function cloneable(options: SpawnOptions): SpawnOptions {
  const { thread } = options;
  return thread?.env === undefined ? options : { ...options, thread: { ...thread, env: { ...thread.env } } };
}
