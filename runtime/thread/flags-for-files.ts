import process from 'node:process';

/**
 * Threads and forked processes inherit the flags of this process. `--input-type` is about the text behind `--eval`, and
 * ends whoever has a file to run instead; then they get no flags.
 */
export function flagsForFiles(): { execArgv?: string[] } {
  return process.execArgv.some((flag) => flag.startsWith('--input-type')) ? { execArgv: [] } : {};
}
