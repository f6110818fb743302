#!/usr/bin/env node
/**
 * The `troupe` executable. It only checks that this Node can run the rest, which it therefore imports afterwards:
 * an older Node would fail while loading a dependency, with a message that names neither cause nor cure.
 */
import process from 'node:process';

const OLDEST_NODE = [22, 19] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const [oldestMajor, oldestMinor] = OLDEST_NODE;

if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
  process.stderr.write(
    `troupe: needs Node.js ${OLDEST_NODE.join('.')} or newer, this is ${process.versions.node}. ` +
      'Install a current Node.js [NODE_TOO_OLD]\n',
  );
  process.exitCode = 1;
} else {
  // No process.exit: it would abort the process while an actor's thread is inside native code.
  process.exitCode = await import('./main.ts').then(
    ({ main }) => main(process.argv.slice(2)),
    (error: unknown) => {
      // For want of open files, or of the permission to read them.
      const why = error instanceof Error ? error.message : String(error);
      process.stderr.write(`troupe: cannot be loaded: ${why.replace(/\s+/g, ' ')} [LOAD_FAILED]\n`);
      return 1;
    },
  );
}
