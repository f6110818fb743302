/** Which Node this needs. Imports and syntax here are understood by Node 18: it has to get as far as the message. */
import { TroupeError } from './errors.ts';

/** As in `engines` of package.json. */
export const OLDEST_NODE = '22.19';

/** @param version `22.19.0` */
export function nodeTooOld(version: string = process.versions.node): TroupeError | undefined {
  const [major = 0, minor = 0] = numbers(version);
  const [oldestMajor = 0, oldestMinor = 0] = numbers(OLDEST_NODE);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  return new TroupeError(
    `Troupe needs Node.js ${OLDEST_NODE} or newer, this is ${version}. Install a current Node.js`,
    { code: 'NODE_TOO_OLD', details: { needed: OLDEST_NODE, found: version } },
  );
}

function numbers(version: string): number[] {
  return version.split('.').map(Number);
}
