/** What a person sees on a terminal while a model loads; nothing anywhere else. */
import process from 'node:process';
import yoctoSpinner from 'yocto-spinner';

export interface Progress {
  show(message: string): void;
  /** Takes the line away. */
  clear(): void;
}

const SILENT: Progress = { show: () => undefined, clear: () => undefined };

export function createProgress(enabled: boolean): Progress {
  if (!enabled || !process.stderr.isTTY) return SILENT;
  // Its own signal handling would end the process by process.exit.
  const spinner = yoctoSpinner({ stream: process.stderr, handleSignals: false });
  return {
    show(message) {
      spinner.text = message;
      if (!spinner.isSpinning) spinner.start();
    },
    clear() {
      spinner.stop();
    },
  };
}
