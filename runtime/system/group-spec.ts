/** What a pool was asked to be, with all defaults, and only if it makes sense. */
import { DEFAULT_WINDOW } from '../channel/flow-control.ts';
import { invalidOption } from '../errors.ts';
import type { PoolFacts } from '../ref/ref-token.ts';
import { ROUTING_POLICIES } from '../routing/routing-policy.ts';
import { type GroupSpec, memberNames } from '../supervision/group.ts';
import { DEFAULT_RESTART_POLICY } from '../supervision/restart-policy.ts';
import { MOST_MEMBERS, type SpawnOptions } from './system-options.ts';

export const DEFAULT_OUTBOX = 1_024;

/** @throws TroupeError `OPTION_INVALID` */
export function groupSpec(options: SpawnOptions, transport: PoolFacts['transport']): GroupSpec {
  const { name, size = 1, routing = 'least-loaded', outbox = DEFAULT_OUTBOX } = options;
  const { messages = DEFAULT_WINDOW.messages, bytes = DEFAULT_WINDOW.kib * 1024 } = options.mailbox ?? {};
  if (typeof name !== 'string' || name === '') throw invalidOption('name', name, 'give a text');
  poolSize('size', size);
  wholeNumber('mailbox.messages', messages, 1);
  wholeNumber('mailbox.bytes', bytes, 1);
  wholeNumber('outbox', outbox, 0);
  if (options.elastic !== undefined) {
    const { max, waiting = 1, idleMs = 0 } = options.elastic;
    poolSize('elastic.max', max, size);
    wholeNumber('elastic.waiting', waiting, 1);
    if (!(idleMs >= 0)) throw invalidOption('elastic.idleMs', idleMs, 'give milliseconds, 0 or more');
  }
  if (!ROUTING_POLICIES.includes(routing)) {
    throw invalidOption('routing', routing, `take one of ${ROUTING_POLICIES.join(', ')}`);
  }
  return {
    name,
    members: memberNames(name, size),
    policy: routing,
    transport,
    window: { messages, kib: Math.ceil(bytes / 1024) },
    outbox,
    restart: { ...DEFAULT_RESTART_POLICY, ...options.restart },
  };
}

/** @throws TroupeError `OPTION_INVALID` */
export function wholeNumber(field: string, value: unknown, least: number): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return;
  throw invalidOption(field, value, `give a whole number, ${least} or more`);
}

/** @throws TroupeError `OPTION_INVALID` */
export function poolSize(field: string, value: unknown, least = 1): void {
  wholeNumber(field, value, least);
  if (Number(value) > MOST_MEMBERS) throw invalidOption(field, value, `give ${MOST_MEMBERS} at most`);
}
