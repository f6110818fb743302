/** The figures on disk: one file that each run adds its suites to, with what they were measured on. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MachineInfo } from './machine.ts';
import type { SuiteOptions, SuiteResult } from './suite.ts';

export interface SavedSuite {
  readonly machine: MachineInfo;
  /** ISO 8601. */
  readonly finishedAt: string;
  readonly options: Partial<SuiteOptions>;
  readonly result: SuiteResult;
}

export interface Results {
  readonly suites: Readonly<Record<string, SavedSuite>>;
}

/** Quick figures have a file of their own, so that they never replace others. */
export function defaultResultsFile({ quick }: Pick<SuiteOptions, 'quick'>): string {
  return join(import.meta.dirname, 'results', quick ? 'quick.json' : 'latest.json');
}

/** Empty when there is no file. */
export async function readResults(file: string): Promise<Results> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Results; // written by `saveSuite`
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { suites: {} };
    throw new Error(`${file} holds no results`, { cause: error });
  }
}

export async function saveSuite(file: string, name: string, suite: SavedSuite): Promise<void> {
  const { suites } = await readResults(file);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify({ suites: { ...suites, [name]: suite } })}\n`);
}
