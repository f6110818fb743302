/** Results as Markdown tables. */
import { formatCount, formatGoal, formatMs, formatValue } from '../format.ts';
import type { MachineInfo } from '../machine.ts';
import { type Claim, type FigureTable, isMet, type Table } from '../suite.ts';

/** The first column is left-aligned, the others hold numbers, but for the last `texts`. */
function markdownTable(head: readonly string[], rows: readonly (readonly string[])[], texts = 0): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 || column >= head.length - texts ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

export interface ClaimRow {
  readonly suite: string;
  readonly claim: Claim;
  /** The same claim in earlier figures. */
  readonly before: Claim | undefined;
}

export function claimsTable(rows: readonly ClaimRow[], withBefore: boolean): string {
  const head = ['', 'goal', ...(withBefore ? ['before'] : []), 'measured', '', 'repeat with'];
  return markdownTable(
    head,
    rows.map(({ suite, claim, before }) => [
      claim.text,
      formatGoal(claim),
      ...(withBefore ? [before === undefined ? '–' : formatValue(before.measured, before.unit)] : []),
      formatValue(claim.measured, claim.unit),
      isMet(claim) ? 'met' : '**not met**',
      `\`--suite ${suite}\``,
    ]),
    2,
  );
}

/** @param before the same table in earlier figures */
export function timesTable({ title, unit, baseline, rows }: Table, before: Table | undefined): string {
  const head = ['', ...(before ? [`before, per ${unit}`] : []), `median per ${unit}`, `${unit}s a second`];
  const cells = rows.map(({ name, medianMs, perSecond, ratio }) => {
    const earlier = before?.rows.find((row) => row.name === name);
    const then = before === undefined ? [] : [earlier === undefined ? '–' : formatMs(earlier.medianMs)];
    const against = name === baseline ? '–' : `${ratio.toFixed(2)}×`;
    return [name, ...then, formatMs(medianMs), formatCount(perSecond), against];
  });
  return `**${title}**\n\n${markdownTable([...head, `against ${baseline}`], cells)}`;
}

export function figuresTable({ title, rows }: FigureTable, before: FigureTable | undefined): string {
  const cells = rows.map(({ name, value, unit }) => {
    const earlier = before?.rows.find((row) => row.name === name);
    const then = before === undefined ? [] : [earlier === undefined ? '–' : formatValue(earlier.value, unit)];
    return [name, ...then, formatValue(value, unit)];
  });
  return `**${title}**\n\n${markdownTable(['', ...(before ? ['before'] : []), 'measured'], cells)}`;
}

export function machineLine(machine: MachineInfo, finishedAt: string): string {
  const { cpu, cores, memoryGiB, gpu, os, node, onnxruntime, commit } = machine;
  const state = commit === null ? '' : `, commit ${commit}`;
  const software = `Node ${node}, onnxruntime ${onnxruntime}${state}`;
  return `${finishedAt.slice(0, 10)}: ${cpu}, ${cores} cores, ${memoryGiB} GiB${gpu === undefined ? '' : `, ${gpu}`}, ${os}; ${software}.`;
}
