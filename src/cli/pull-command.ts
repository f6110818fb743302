/** `troupe pull`: fetches a model, with a line of progress on a terminal. */
import { megabytes, progressLine } from '../hub/download-progress.ts';
import { pullModel } from '../hub/pull-model.ts';
import type { CommandContext } from './command-context.ts';
import type { PullFlags } from './flags.ts';
import { createProgress } from './progress.ts';

export async function pull(
  name: string,
  flags: PullFlags,
  { output, interrupt }: CommandContext,
): Promise<void> {
  const progress = createProgress(flags.json !== true);
  let totalBytes = 0;
  try {
    progress.show(`asking for ${name}`);
    const pulled = await pullModel(name, {
      ...(flags.dtype && { dtype: flags.dtype }),
      signal: interrupt.signal,
      onWait: () => progress.show('another process is fetching it'),
      onProgress: (told) => {
        totalBytes = told.totalBytes;
        progress.show(progressLine(told));
      },
    });
    progress.clear();
    const what = pulled.fetchedFiles === 0 ? 'nothing new' : `${pulled.fetchedFiles} files fetched`;
    const line = `${name}: ${what}, ${megabytes(totalBytes)} in ${pulled.path}\n`;
    await output.write(flags.json === true ? `${JSON.stringify({ ...pulled, bytes: totalBytes })}\n` : line);
  } finally {
    progress.clear();
  }
}
