/**
 * `node --test` with the arguments given, and one cache of compiled sources for all processes and threads that tests start: an engine
 * starts several threads, each of which would strip the types of some hundred modules and compile them again.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';

const { NODE_COMPILE_CACHE = join(import.meta.dirname, '../node_modules/.cache/compiled'), ...env } =
  process.env;
const tests = spawn(process.execPath, ['--test', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...env, NODE_COMPILE_CACHE },
});
process.on('SIGINT', () => {}); // Ctrl-C reaches the tests as well, and how they end is passed on
process.on('SIGTERM', () => tests.kill('SIGTERM'));
tests.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
