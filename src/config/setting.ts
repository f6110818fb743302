/** What a setting is called outside of its schema. One declaration gives it a flag, a variable and a line of help. */
import { z } from 'zod';

export interface SettingFacts {
  /** As commander reads it: `--port <n>`. The environment variable follows from it: `TROUPE_PORT`. */
  readonly flag: string;
  readonly help: string;
  /** How text is read. A flag that begins with `--no-` says false. A list takes a flag several times, or a variable with commas. Default `text`. */
  readonly kind?: 'text' | 'number' | 'boolean' | 'list';
  /** Never to be printed. */
  readonly secret?: true;
}

const registry = z.registry<SettingFacts>();

export function setting<T extends z.ZodType>(schema: T, facts: SettingFacts): T {
  registry.add(schema, facts);
  return schema;
}

export interface Setting extends SettingFacts {
  /** Where it sits in the configuration: `['limits', 'maxImages']`. */
  readonly path: readonly string[];
  /** `--max-images` */
  readonly name: string;
  /** `TROUPE_MAX_IMAGES` */
  readonly variable: string;
}

/** Every setting of a schema, in order. */
export function settingsOf(schema: z.ZodType, path: readonly string[] = []): Setting[] {
  const facts = registry.get(schema);
  if (facts !== undefined) {
    const [name = facts.flag] = facts.flag.split(' ');
    const variable = `TROUPE_${name
      .replace(/^--(no-)?/, '')
      .replaceAll('-', '_')
      .toUpperCase()}`;
    return [{ ...facts, path, name, variable }];
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
    return settingsOf(schema.unwrap() as z.ZodType, path);
  }
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([key, field]) =>
    settingsOf(field as z.ZodType, [...path, key]),
  );
}

/** Whether a path of the configuration is one that must not be shown, or lies within it. */
export function isSecretOf(settings: readonly Setting[]): (path: readonly PropertyKey[]) => boolean {
  const secrets = settings.filter(({ secret }) => secret);
  return (path) => secrets.some((one) => one.path.every((key, index) => key === path[index]));
}
