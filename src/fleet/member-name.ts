/** What a member of a fleet is called: a process that is started again is another member, and no two have one name. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

const MOST_CHARACTERS = 48;
const RANDOM_BYTES = 4;

/** @param given by whoever started it. Default: the host's */
export function memberName(given: string = hostname()): string {
  const base = given.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, MOST_CHARACTERS);
  return `${base || 'node'}-${randomBytes(RANDOM_BYTES).toString('hex')}`;
}
