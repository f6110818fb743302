/** A suite's results for people. */

import { styleText } from 'node:util';
import CliTable from 'cli-table3';
import { formatCount, formatGoal, formatMs, formatValue } from './format.ts';
import { type Claim, type FigureTable, isMet, type SuiteResult, type Table } from './suite.ts';

export function formatResult({ skipped, tables = [], figures = [], claims = [] }: SuiteResult): string {
  if (skipped !== undefined) return `Not measured: ${skipped}\n`;
  const parts = [...tables.map(formatTable), ...figures.map(formatFigures), ...claims.map(formatClaim)];
  return parts.map((part) => `${part}\n`).join('');
}

function formatTable({ title, unit, rows, baseline }: Table): string {
  const table = newTable(['', `median per ${unit}`, `${unit}s a second`, `against ${baseline}`]);
  for (const { name, medianMs, perSecond, ratio } of rows) {
    const against = name === baseline ? '–' : `${ratio.toFixed(2)}×`;
    table.push([name, formatMs(medianMs), formatCount(perSecond), against]);
  }
  return `${styleText('bold', title)}\n${table.toString()}\n`;
}

function formatFigures({ title, rows }: FigureTable): string {
  const table = newTable(['', 'value']);
  for (const { name, value, unit } of rows) table.push([name, formatValue(value, unit)]);
  return `${styleText('bold', title)}\n${table.toString()}\n`;
}

function formatClaim(claim: Claim): string {
  const verdict = isMet(claim) ? styleText('green', 'met') : styleText('red', 'not met');
  const { text, measured, unit } = claim;
  return `${text}: ${formatValue(measured, unit)}, goal ${formatGoal(claim)}: ${verdict}`;
}

function newTable(head: string[]): CliTable.Table {
  const colAligns: CliTable.HorizontalAlignment[] = head.map((_, column) =>
    column === 0 ? 'left' : 'right',
  );
  return new CliTable({ head, colAligns, style: { head: [], border: [] } });
}
