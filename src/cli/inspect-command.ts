/** `troupe inspect`: what a model directory holds, whether each mode can run it, what it would start. */
import { inspectModel } from '../inspect/inspect-model.ts';
import type { CommandContext } from './command-context.ts';
import { engineOptionsOf } from './engine-settings.ts';
import { formatInspection } from './format-inspection.ts';
import type { FlagValue } from './setting-flags.ts';

export interface InspectFlags {
  /** In the place of `--model`. */
  readonly model: string | undefined;
  readonly json: boolean;
  /** Of `ENGINE_SETTINGS`. */
  readonly settings: ReadonlyMap<string, FlagValue>;
}

export async function inspect(flags: InspectFlags, { output }: CommandContext): Promise<void> {
  const { model, json, settings } = flags;
  const report = await inspectModel(engineOptionsOf('inspect', settings, model));
  await output.write(json ? `${JSON.stringify(report)}\n` : formatInspection(report));
}
