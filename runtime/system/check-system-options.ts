/** Whether what a system was asked to be makes sense. */
import { invalidOption } from '../errors.ts';
import { eachGiven, fieldsOf, milliseconds, wholeNumber } from '../util/checked-option.ts';

/** @throws TroupeError `OPTION_INVALID` */
export function checkSystemOptions(options: unknown): void {
  const { stopGraceMs, watchdog, arenas, budgets, caches } = fieldsOf('options', options);
  if (stopGraceMs !== undefined) milliseconds('stopGraceMs', stopGraceMs);
  eachGiven('watchdog', watchdog, limit);
  eachGiven('arenas', arenas, (field, bytes) => wholeNumber(field, bytes, 1));
  eachGiven('budgets', budgets, (field, bytes) => wholeNumber(field, bytes, 1));
  eachGiven('caches', caches, (field, cache) => {
    const { arena, bytes } = fieldsOf(field, cache);
    if (typeof arena !== 'string') throw invalidOption(`${field}.arena`, arena, 'name one of `arenas`');
    wholeNumber(`${field}.bytes`, bytes, 0);
  });
}

function limit(field: string, value: unknown): void {
  if (typeof value === 'number' && value > 0) return;
  throw invalidOption(field, value, 'give milliseconds above 0; Infinity switches it off');
}
