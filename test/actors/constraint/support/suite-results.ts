/** How the cases of the JSON-Schema-Test-Suite come out. */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { compileConstraint } from '../../../../actors/constraint/compile-constraint.ts';
import type { CompiledGrammar } from '../../../../actors/constraint/grammar/compiled-grammar.ts';
import { InputError } from '../../../../actors/errors.ts';
import { isAnswer, orders } from './grammar-text.ts';

const schemaSchema = z.union([z.boolean(), z.record(z.string(), z.unknown())]);
const suiteSchema = z.record(
  z.string(),
  z.array(z.tuple([schemaSchema, z.array(z.unknown()), z.array(z.unknown())])),
);

export interface FileResult {
  readonly file: string;
  /** Valid instances that can be answered, in some order of keys. */
  readonly reachable: number;
  /** Valid instances that cannot. */
  readonly unreachable: unknown[];
  /** Invalid instances that cannot be answered. */
  readonly excluded: number;
  /** Invalid instances that can. */
  readonly wrong: unknown[];
  /** Codes of refused schemas. */
  readonly refused: string[];
}

export async function suiteResults(): Promise<FileResult[]> {
  const path = new URL('../../../fixtures/json-schema-test-suite/draft2020-12.json', import.meta.url);
  const suite = suiteSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  return Object.entries(suite).map(([file, groups]) => {
    const unreachable: unknown[] = [];
    const wrong: unknown[] = [];
    const refused: string[] = [];
    let reachable = 0;
    let excluded = 0;
    for (const [schema, valid, invalid] of groups) {
      let grammar: CompiledGrammar;
      try {
        grammar = compileConstraint({ type: 'json_schema', schema });
      } catch (error) {
        // A schema that nothing satisfies is refused, and excludes all.
        if (!(error instanceof InputError)) throw error;
        if (valid.length === 0 && invalid.length > 0 && error.code === 'CONSTRAINT_INVALID')
          excluded += invalid.length;
        else refused.push(error.code);
        continue;
      }
      for (const value of valid) {
        if (someOrder(grammar, value)) reachable++;
        else unreachable.push(value);
      }
      for (const value of invalid) {
        if (someOrder(grammar, value)) wrong.push({ schema, value });
        else excluded++;
      }
    }
    return { file, reachable, unreachable, excluded, wrong, refused };
  });
}

function someOrder(grammar: CompiledGrammar, value: unknown): boolean {
  for (const text of orders(value)) if (isAnswer(grammar, text)) return true;
  return false;
}
