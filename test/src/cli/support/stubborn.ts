/** A command that does not end when it is told to. */
import { Interrupt } from '../../../../src/cli/interrupt.ts';

const interrupt = new Interrupt();
interrupt.signal.addEventListener('abort', () => process.stdout.write('aborted\n'));
setInterval(() => undefined, 1000);
process.stdout.write('ready\n');
