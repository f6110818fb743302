/** The flags of `troupe serve`: one for each setting of the server's schema, made from it. */
import { type Command, Option } from 'commander';
import type { Setting } from '../config/setting.ts';

export type FlagValue = string | readonly string[] | boolean;

export async function serverFlags(): Promise<Option[]> {
  return (await serverSettings()).map(({ flag, help, kind, variable }) => {
    const repeatable = kind === 'list' ? ' (repeatable)' : '';
    const option = new Option(flag, `${help}${repeatable} [${variable}]`);
    return kind === 'list' ? option.argParser(collect) : option;
  });
}

/** What was given on the command line, by the setting's name. */
export async function givenFlags(command: Command): Promise<Map<string, FlagValue>> {
  const given = new Map<string, FlagValue>();
  for (const { flag, name } of await serverSettings()) {
    const key = new Option(flag).attributeName();
    if (command.getOptionValueSource(key) !== 'cli') continue;
    const value: FlagValue = command.getOptionValue(key);
    // Commander's value of `--no-x` is that of x.
    given.set(name, typeof value === 'boolean' ? true : value);
  }
  return given;
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

async function serverSettings(): Promise<readonly Setting[]> {
  const { SERVER_SETTINGS } = await import('../server/server-config.ts');
  return SERVER_SETTINGS;
}
