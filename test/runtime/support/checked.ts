/** Property-based checks: the same inputs in every run, and more of them where somebody asks (`PROPERTY_SEED`, `PROPERTY_RUNS`). */
import process from 'node:process';
import type { Parameters } from 'fast-check';

export const CHECKED: Parameters<unknown> = {
  seed: Number(process.env.PROPERTY_SEED ?? 20),
  numRuns: Number(process.env.PROPERTY_RUNS ?? 200),
};
