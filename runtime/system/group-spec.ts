/** What a pool was asked to be, with all defaults, and only if it makes sense. */
import { DEFAULT_WINDOW } from '../channel/flow-control.ts';
import { invalidOption } from '../errors.ts';
import type { PoolFacts } from '../ref/ref-token.ts';
import { ROUTING_POLICIES } from '../routing/routing-policy.ts';
import { type GroupSpec, memberNames } from '../supervision/group.ts';
import { DEFAULT_RESTART_POLICY } from '../supervision/restart-policy.ts';
import { eachGiven, fieldsOf, milliseconds, wholeNumber } from '../util/checked-option.ts';
import { withDefaults } from '../util/with-defaults.ts';
import { MOST_MEMBERS, type SpawnOptions } from './system-options.ts';

export const DEFAULT_OUTBOX = 1_024;

/** @throws TroupeError `OPTION_INVALID` */
export function groupSpec(options: SpawnOptions, transport: PoolFacts['transport']): GroupSpec {
  checkGroups(options);
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
    milliseconds('elastic.idleMs', idleMs);
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
    restart: withDefaults(DEFAULT_RESTART_POLICY, options.restart),
  };
}

/** @throws TroupeError `OPTION_INVALID` */
export function poolSize(field: string, value: unknown, least = 1): void {
  wholeNumber(field, value, least);
  if (Number(value) > MOST_MEMBERS) throw invalidOption(field, value, `give ${MOST_MEMBERS} at most`);
}

/** Options that are objects, and what is in them and has no default here. */
function checkGroups(options: SpawnOptions): void {
  if (options === undefined) throw invalidOption('options', options, 'give an object with a name');
  fieldsOf('options', options);
  fieldsOf('mailbox', options.mailbox);
  fieldsOf('elastic', options.elastic);
  const { maxRestarts, ...times } = fieldsOf('restart', options.restart);
  if (maxRestarts !== undefined && maxRestarts !== Number.POSITIVE_INFINITY)
    wholeNumber('restart.maxRestarts', maxRestarts, 0);
  eachGiven('restart', times, milliseconds);
  const { resourceLimits, env } = fieldsOf('thread', options.thread);
  eachGiven('thread.resourceLimits', resourceLimits, positive);
  eachGiven('thread.env', env, text);
}

function positive(field: string, value: unknown): void {
  if (!(typeof value === 'number' && value > 0))
    throw invalidOption(field, value, 'give a number of MiB above 0');
}

function text(field: string, value: unknown): void {
  if (typeof value !== 'string') throw invalidOption(field, value, 'give a text');
}
