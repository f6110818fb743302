/** What the program gives each of its commands. */
import type { Interrupt } from './interrupt.ts';
import type { StandardOutput } from './standard-output.ts';

export interface CommandContext {
  readonly output: StandardOutput;
  readonly interrupt: Interrupt;
}
