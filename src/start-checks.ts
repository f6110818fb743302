/** What a process needs before anything is started in it, said in one sentence instead of a stack from deep inside. */
import process from 'node:process';
import { TroupeError } from '../runtime/errors.ts';

/** What Node's permission model has to allow, and by which flag. */
const NEEDED = [
  ['worker', '--allow-worker'],
  // Older versions do not tell of it.
  ...(Number.parseInt(process.versions.node, 10) >= 24 ? ([['addon', '--allow-addons']] as const) : []),
] as const;

/** @throws TroupeError `WORKING_FOLDER_GONE`, `PERMISSION_MISSING` */
export function assertCanStart(): void {
  try {
    process.cwd();
  } catch (cause) {
    throw new TroupeError('the working folder has been deleted. Change into one that is there', {
      code: 'WORKING_FOLDER_GONE',
      cause,
    });
  }
  // Undefined without --permission, whatever the types say.
  const permission = process.permission as typeof process.permission | undefined;
  const missing = NEEDED.filter(([scope]) => permission?.has(scope) === false).map(([, flag]) => flag);
  if (missing.length === 0) return;
  const flags = missing.join(' ');
  throw new TroupeError(
    `Node's permissions do not allow what actors need. Start node with ${flags} as well`,
    {
      code: 'PERMISSION_MISSING',
      details: { flags },
    },
  );
}
