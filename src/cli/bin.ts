#!/usr/bin/env node
/**
 * The `troupe` executable. It only checks that this Node can run the rest, and imports everything when it runs: an older
 * Node, or one that may not read the files, would fail while loading them, with a stack that names neither cause nor cure.
 */
import process from 'node:process';

// No process.exit: it would abort the process while an actor's thread is inside native code.
process.exitCode = await run();

async function run(): Promise<number> {
  const main = await load();
  return main === undefined ? 1 : await main(process.argv.slice(2));
}

/** Undefined when it has been said why not. */
async function load(): Promise<((args: string[]) => Promise<number>) | undefined> {
  try {
    const { nodeTooOld } = await import('../../runtime/node-version.ts');
    const tooOld = nodeTooOld();
    if (tooOld === undefined) return (await import('./main.ts')).main;
    process.stderr.write(`troupe: ${tooOld.message} [${tooOld.code}]\n`);
  } catch (error) {
    // For want of open files, or of the permission to read them.
    process.stderr.write(`troupe: cannot be loaded: ${String(error).replace(/\s+/g, ' ')} [LOAD_FAILED]\n`);
  }
  return undefined;
}
