/** A whole prompt into the next row of a runner's cache, as the engine does it for a prompt that is alone. */
import type { ModelRunner } from '../actors/pd/runner/model-runner.ts';

/** @param most tokens of one run */
export async function prefillRow(runner: ModelRunner, prompt: Int32Array, most = CHUNK): Promise<void> {
  const run = runner.begin({
    ids: prompt,
    positions: undefined,
    images: [],
    logits: true,
    onImagesRead: () => undefined,
  });
  while (run.left > 0) await runner.extend(run, most);
  runner.join(run);
}

/** What the engine's pacer allows at most. */
const CHUNK = 128;
