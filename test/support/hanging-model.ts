/** The pilot model with a tokenizer that hangs on some texts, as published ones have: its pattern backtracks for ever. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PILOT_MODEL } from './pilot-model.ts';

export interface HangingModel extends AsyncDisposable {
  readonly path: string;
}

/** What it hangs on. */
export const POISON = `${'a'.repeat(200)}!`;

export async function hangingModel(): Promise<HangingModel> {
  const path = await mkdtemp(join(tmpdir(), 'troupe-hanging-'));
  await cp(PILOT_MODEL, path, { recursive: true, filter: (source) => !source.includes('.troupe-cache') });
  const file = join(path, 'tokenizer.json');
  const tokenizer = JSON.parse(await readFile(file, 'utf8'));
  const split = { type: 'Split', pattern: { Regex: '(?:a+)+$' }, behavior: 'Isolated', invert: false };
  tokenizer.pre_tokenizer = { type: 'Sequence', pretokenizers: [split, tokenizer.pre_tokenizer] };
  await writeFile(file, JSON.stringify(tokenizer));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
