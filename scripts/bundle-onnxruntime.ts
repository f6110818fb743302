/**
 * Makes the installed onnxruntime-node fit to travel inside this package (`bundleDependencies`). Run after each install,
 * so that tests see what is published; a second run changes nothing.
 *
 * Its install script fetches libraries for CUDA from NuGet on linux-x64, hundreds of megabytes that Troupe has no use
 * for, and where NuGet is out of reach the whole `npm install` of a consumer fails. No setting of ours reaches a
 * consumer's npm, so the script is left out, with the two packages that only it needs. So is a copy of the macOS library
 * under a second name, which nothing loads: the binding asks for `libonnxruntime.1.dylib`.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const FOLDER = fileURLToPath(new URL('../node_modules/onnxruntime-node/', import.meta.url));

const INSTALL_SCRIPT = 'node ./script/install';
const KEPT_DEPENDENCY = 'onnxruntime-common';
const LOADED_DYLIB = 'libonnxruntime.1.dylib';
const OTHER_DYLIB = /^libonnxruntime\.\d+\.\d+\.\d+\.dylib$/;

const Manifest = z.looseObject({
  scripts: z.record(z.string(), z.string()).optional(),
  dependencies: z.record(z.string(), z.string()),
});

withoutInstallScript(join(FOLDER, 'package.json'));
rmSync(join(FOLDER, 'script'), { recursive: true, force: true });
withoutSecondDylib(join(FOLDER, 'bin', 'napi-v6', 'darwin', 'arm64'));

function withoutInstallScript(path: string): void {
  const { scripts, devDependencies: _, ...rest } = Manifest.parse(JSON.parse(readFileSync(path, 'utf8')));
  if (scripts === undefined) return;
  const asked = scripts.postinstall ?? scripts.install ?? scripts.preinstall;
  // A release that does more at its install may need it: somebody has to look.
  if (asked !== INSTALL_SCRIPT) throw new Error(`onnxruntime-node has another install script: ${asked}`);
  const version = rest.dependencies[KEPT_DEPENDENCY];
  if (version === undefined) throw new Error(`onnxruntime-node does not depend on ${KEPT_DEPENDENCY}`);
  // Under another name first: npm trusts what it noted of a folder until the folder changes, and nobody reads half a file.
  writeFileSync(
    `${path}.new`,
    JSON.stringify({ ...rest, dependencies: { [KEPT_DEPENDENCY]: version } }, null, 2),
  );
  renameSync(`${path}.new`, path);
}

function withoutSecondDylib(folder: string): void {
  if (!existsSync(folder)) return;
  const second = readdirSync(folder).find((name) => OTHER_DYLIB.test(name));
  if (second === undefined) return;
  const loaded = readFileSync(join(folder, LOADED_DYLIB));
  if (!loaded.equals(readFileSync(join(folder, second)))) {
    throw new Error(`${second} is no copy of ${LOADED_DYLIB}`);
  }
  rmSync(join(folder, second));
}
