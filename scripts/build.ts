/** `npm run build`: the sources as JavaScript and type declarations in dist/, ready to be published. */
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

rmSync(`${root}dist`, { recursive: true, force: true }); // what a renamed file left behind would be published
const { status } = spawnSync('tsc -p tsconfig.build.json', { cwd: root, stdio: 'inherit', shell: true });
if (status === 0) chmodSync(`${root}dist/src/cli/bin.js`, 0o755); // for `npx troupe` in a clone
process.exitCode = status ?? 1;
