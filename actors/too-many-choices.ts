/** More answers to one request than rows of a batch: refused before anything is done for it, and once more by the engine. */
import { InputError } from './errors.ts';

export function tooManyChoices(choices: number, maxRunning: number): InputError {
  return new InputError('TOO_MANY_CHOICES', `is more answers than the engine makes at once, ${maxRunning}`, {
    field: 'n',
    value: choices,
    remedy: `Ask for at most ${maxRunning}, or raise maxRunning`,
  });
}
