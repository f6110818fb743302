/** `troupe inspect`: what a model directory holds, whether each mode can run it, what it would start. */
import { engineSchema } from '../config/engine-schema.ts';
import { gatherSettings } from '../config/gather-settings.ts';
import { invalidOption } from '../config/invalid-option.ts';
import type { TroupeOptions } from '../config/options.ts';
import { settingsOf } from '../config/setting.ts';
import { inspectModel } from '../inspect/inspect-model.ts';
import type { CommandContext } from './command-context.ts';
import { formatInspection } from './format-inspection.ts';
import type { FlagValue } from './setting-flags.ts';

export interface InspectFlags {
  /** In the place of `--model`. */
  readonly model: string | undefined;
  readonly json: boolean;
  /** Of `ENGINE_SETTINGS`. */
  readonly settings: ReadonlyMap<string, FlagValue>;
}

/** All that an engine can be started with: what it would start depends on any of it. */
export const ENGINE_SETTINGS = settingsOf(engineSchema);

export async function inspect(flags: InspectFlags, { output }: CommandContext): Promise<void> {
  const { model, json, settings } = flags;
  const sources = { command: 'inspect', file: undefined, env: {}, flags: settings } as const;
  const { options: given, name } = gatherSettings(ENGINE_SETTINGS, sources);
  const options = model === undefined ? given : { model, ...given };
  const parsed = engineSchema.safeParse(options);
  if (!parsed.success) throw invalidOption(options, parsed.error, name);
  // What was not given is absent there, not undefined.
  const report = await inspectModel(parsed.data as TroupeOptions);
  await output.write(json ? `${JSON.stringify(report)}\n` : formatInspection(report));
}
