/** The package that users install, built of the sources as they are; in a folder of its own, since tests pack `dist/` meanwhile. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function buildPackage(): void {
  execFileSync('npm', ['run', 'build', '--', 'dist-bench'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
  });
}
