/** What an engine can be started with, as flags of a command that starts one or says what it would start. */
import { engineSchema } from '../config/engine-schema.ts';
import { gatherSettings } from '../config/gather-settings.ts';
import { invalidOption } from '../config/invalid-option.ts';
import type { TroupeOptions } from '../config/options.ts';
import { isSecretOf, settingsOf } from '../config/setting.ts';
import type { FlagValue } from './setting-flags.ts';

export const ENGINE_SETTINGS = settingsOf(engineSchema);
const isSecret = isSecretOf(ENGINE_SETTINGS);

/** Whose files and hosts these are: the person at the keyboard may name any. */
const OF_OTHERS = ['--image-folder', '--image-urls', '--image-host', '--image-private-addresses'];

/** Those of an engine that answers the person who starts it. */
export const ASK_SETTINGS = ENGINE_SETTINGS.filter(({ name }) => !OF_OTHERS.includes(name));

/**
 * @param flags by the setting's name
 * @param model where no flag says another
 * @throws InputError `INVALID_OPTION` that names the flag
 */
export function engineOptionsOf(
  command: 'ask' | 'inspect',
  flags: ReadonlyMap<string, FlagValue>,
  model?: string,
): TroupeOptions {
  const { options: given, name } = gatherSettings(ENGINE_SETTINGS, {
    command,
    file: undefined,
    env: {},
    flags,
  });
  const options = model === undefined ? given : { model, ...given };
  const parsed = engineSchema.safeParse(options);
  if (!parsed.success) throw invalidOption(options, parsed.error, name, isSecret);
  // What was not given is absent there, not undefined.
  return parsed.data as TroupeOptions;
}
