/** Flags that are made from a schema: one for each of its settings. */
import { type Command, Option } from 'commander';
import type { Setting } from '../config/setting.ts';

export type FlagValue = string | readonly string[] | boolean;

/** @param variables whether the help says which variable of the environment means the same */
export function settingFlags(settings: readonly Setting[], variables: 'with variables' | 'alone'): Option[] {
  return settings.map(({ flag, help, kind, variable }) => {
    const repeatable = kind === 'list' ? ' (repeatable)' : '';
    const also = variables === 'alone' ? '' : ` [${variable}]`;
    const option = new Option(flag, `${help}${repeatable}${also}`);
    return kind === 'list' ? option.argParser(collect) : option;
  });
}

/** What was given on the command line, by the setting's name. */
export function givenFlags(command: Command, settings: readonly Setting[]): Map<string, FlagValue> {
  const given = new Map<string, FlagValue>();
  for (const { flag, name } of settings) {
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
