/** `npm run bench -- --report`: all figures as one Markdown page with plots, in docs/benchmarks/. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type Results, readResults, type SavedSuite } from '../results.ts';
import type { Chart, LineChart, Suite } from '../suite.ts';
import { SUITES } from '../suites/index.ts';
import { type ClaimRow, claimsTable, figuresTable, machineLine, timesTable } from './markdown.ts';
import { renderSvg } from './svg-chart.ts';

/** Where the report of published figures belongs. */
export const REPORT_FOLDER = resolve(import.meta.dirname, '..', '..', 'docs', 'benchmarks');

const INTRODUCTION = `# Benchmark report

Written by \`npm run bench -- --report\` from the figures of \`npm run bench\`; what was expected of them and what they
taught is in [benchmarks.md](../benchmarks.md). Times are medians. Ratios are medians over turns in which all sides
ran one after the other; they are what to compare, since machines are shared and noisy.
`;

/**
 * @param resultsFile a name of its own gives the page that name: `gpu.json`, from another machine, `gpu.md`
 * @param beforeFile figures of an earlier state, shown beside
 * @returns the files that were written
 */
export async function writeReport(
  folder: string,
  resultsFile: string,
  beforeFile: string | undefined,
): Promise<string[]> {
  const results = await readResults(resultsFile);
  const before = beforeFile === undefined ? undefined : await readResults(beforeFile);
  const measured = SUITES.flatMap((suite) => {
    const saved = results.suites[suite.name];
    return saved === undefined ? [] : [{ suite, saved, earlier: before?.suites[suite.name] }];
  });
  if (measured.length === 0) throw new Error(`${resultsFile} holds no figures: run \`npm run bench\` first`);
  await mkdir(folder, { recursive: true });
  const files: string[] = [];
  const write = async (name: string, contents: string): Promise<void> => {
    const file = join(folder, name);
    await writeFile(file, contents);
    files.push(file);
  };
  for (const { saved, earlier } of measured) {
    for (const chart of saved.result.charts ?? []) {
      const old = earlier?.result.charts?.find(({ name }) => name === chart.name);
      await write(`${chart.name}.svg`, await renderSvg(withBefore(chart, old)));
    }
  }
  const sections = measured.map(({ suite, saved, earlier }) => section(suite, saved, earlier));
  const page = basename(resultsFile, '.json');
  await write(
    page === 'latest' || page === 'quick' ? 'report.md' : `${page}.md`,
    [INTRODUCTION, goals(results, before), ...sections].join('\n'),
  );
  return files;
}

function goals(results: Results, before: Results | undefined): string {
  const rows = SUITES.flatMap(({ name: suite }) =>
    (results.suites[suite]?.result.claims ?? []).map((claim): ClaimRow => {
      const earlier = before?.suites[suite]?.result.claims?.find(({ text }) => text === claim.text);
      return { suite, claim, before: earlier };
    }),
  );
  if (rows.length === 0) return '';
  return `## Goals\n\n${claimsTable(rows, before !== undefined)}\n`;
}

function section(
  { name, description }: Suite,
  { machine, finishedAt, result }: SavedSuite,
  earlier?: SavedSuite,
) {
  const find = <T extends { title: string }>(list: readonly T[] | undefined, title: string) =>
    list?.find((one) => one.title === title);
  const parts = [
    `## ${name}`,
    `${description[0]?.toUpperCase()}${description.slice(1)}.`,
    ...(result.skipped === undefined ? [] : [`Not measured: ${result.skipped}`]),
    ...(result.charts ?? []).map(({ name: file, title }) => `![${title}](${file}.svg)`),
    ...(result.tables ?? []).map((table) => timesTable(table, find(earlier?.result.tables, table.title))),
    ...(result.figures ?? []).map((one) => figuresTable(one, find(earlier?.result.figures, one.title))),
    machineLine(machine, finishedAt),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Lines of an earlier state go into the same picture. */
function withBefore(chart: Chart, old: Chart | undefined): Chart {
  if (chart.kind !== 'lines' || old?.kind !== 'lines') return chart;
  const renamed = (lines: LineChart['lines'], state: string) =>
    lines.map(({ name, points }) => ({ name: `${name}, ${state}`, points }));
  return { ...chart, lines: [...renamed(old.lines, 'before'), ...renamed(chart.lines, 'now')] };
}
