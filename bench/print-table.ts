/** A table of results for people. */

import { styleText } from 'node:util';
import Table from 'cli-table3';
import type { Table as Results } from './suite.ts';

export function formatTable({ title, unit, rows, baseline }: Results): string {
  const table = new Table({
    head: ['', `median per ${unit}`, `${unit}s a second`, `against ${baseline}`],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { name, medianMs, perSecond, ratio } of rows) {
    table.push([
      name,
      formatMs(medianMs),
      formatCount(perSecond),
      name === baseline ? '–' : `${ratio.toFixed(2)}×`,
    ]);
  }
  return `${styleText('bold', title)}\n${table.toString()}\n`;
}

function formatMs(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(ms < 0.1 ? 1 : 0)} µs`;
  return `${ms.toFixed(ms < 100 ? 2 : 0)} ms`;
}

function formatCount(count: number): string {
  const digits = count < 100 ? 1 : 0;
  return count.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
