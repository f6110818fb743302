#!/usr/bin/env node
/**
 * The `troupe` executable. It only checks that this Node can run the rest, which it therefore imports afterwards:
 * an older Node would fail while loading a dependency, with a message that names neither cause nor cure.
 */
import process from 'node:process';
import { nodeTooOld } from '../../runtime/node-version.ts';
import { messageOf } from '../../runtime/util/realms.ts';

const tooOld = nodeTooOld();
if (tooOld !== undefined) {
  process.stderr.write(`troupe: ${tooOld.message} [${tooOld.code}]\n`);
  process.exitCode = 1;
} else {
  // No process.exit: it would abort the process while an actor's thread is inside native code.
  process.exitCode = await import('./main.ts').then(
    ({ main }) => main(process.argv.slice(2)),
    (error: unknown) => {
      // For want of open files, or of the permission to read them.
      const why = messageOf(error);
      process.stderr.write(`troupe: cannot be loaded: ${why.replace(/\s+/g, ' ')} [LOAD_FAILED]\n`);
      return 1;
    },
  );
}
