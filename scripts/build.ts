/**
 * `npm run build`: the sources as JavaScript and type declarations in dist/, ready to be published; or in another folder of the
 * project's, for who must not be disturbed by that.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const folder = process.argv[2] ?? 'dist';
rmSync(`${root}${folder}`, { recursive: true, force: true }); // what a renamed file left behind would be published
const command = `tsc -p tsconfig.build.json --outDir "${folder}"`;
const { status } = spawnSync(command, { cwd: root, stdio: 'inherit', shell: true });
if (status === 0) chmodSync(`${root}${folder}/src/cli/bin.js`, 0o755); // for `npx troupe` in a clone
process.exitCode = status ?? 1;
