/** What zod says about options, as an error of ours. */
import type { z } from 'zod';
import { InputError } from '../../actors/errors.ts';
import { shownValue } from '../../actors/shown-value.ts';

/** How an option is called where it was given, and what helps there. */
export type NameOption = (path: readonly PropertyKey[]) => {
  readonly field: string;
  readonly remedy: string;
};

/** @param secret whether the value of an option must not be shown */
export function invalidOption(
  options: unknown,
  error: z.ZodError,
  name: NameOption,
  secret: (path: readonly PropertyKey[]) => boolean,
): InputError {
  const [issue] = error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = [...(issue?.path ?? []), ...unknown];
  const value: unknown = path.reduce<unknown>((at, key) => Object(at)[key], options);
  return new InputError('INVALID_OPTION', lowerFirst(issue?.message ?? 'is not valid'), {
    ...name(path),
    value: secret(path) ? '[redacted]' : shownValue(value),
  });
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
