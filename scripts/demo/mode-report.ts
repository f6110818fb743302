/** What the demo found in one mode, and the table that compares the modes. */
import Table from 'cli-table3';
import type { BytesBetweenActors, Mode } from '../../src/index.ts';
import type { Answer } from './ask-all.ts';
import type { LoadReport } from './under-load.ts';

export interface ModeReport {
  readonly answers: readonly Answer[];
  /** Median over the answers. */
  readonly timeToFirstTokenMs: number;
  /** One request at a time: generated tokens by the time from submission to end. */
  readonly tokensPerSecond: number;
  /** Over all answers. */
  readonly bytesBetweenActors: {
    readonly pixels: BytesBetweenActors;
    readonly embeddings: BytesBetweenActors;
  };
  readonly concurrent: LoadReport;
}

export function modeReport(answers: readonly Answer[], concurrent: LoadReport): ModeReport {
  const totalMs = sum(answers, ({ timings }) => timings.totalMs);
  const bytes = (kind: 'pixels' | 'embeddings'): BytesBetweenActors => ({
    moved: sum(answers, ({ bytesBetweenActors }) => bytesBetweenActors[kind].moved),
    copied: sum(answers, ({ bytesBetweenActors }) => bytesBetweenActors[kind].copied),
  });
  return {
    answers,
    timeToFirstTokenMs: median(answers.map(({ timings }) => timings.timeToFirstTokenMs)),
    tokensPerSecond: (sum(answers, ({ usage }) => usage.completionTokens) / totalMs) * 1000,
    bytesBetweenActors: { pixels: bytes('pixels'), embeddings: bytes('embeddings') },
    concurrent,
  };
}

export function comparison(reports: ReadonlyMap<Mode, ModeReport>): string {
  const columns = [...reports.values()];
  const table = new Table({
    head: ['', ...reports.keys()],
    colAligns: ['left', ...columns.map(() => 'right' as const)],
    style: { head: [], border: [] },
  });
  const row = (name: string, value: (report: ModeReport) => string) =>
    table.push([name, ...columns.map(value)]);
  const inFlight = columns[0]?.concurrent.inFlight ?? 0;
  row('time to first token, median', (report) => `${report.timeToFirstTokenMs.toFixed(1)} ms`);
  row('tokens a second, one request at a time', (report) => report.tokensPerSecond.toFixed(0));
  row(`tokens a second, ${inFlight} requests at once`, ({ concurrent }) =>
    concurrent.tokensPerSecond.toFixed(0),
  );
  row(
    'event-loop delay of the caller meanwhile, p99',
    ({ concurrent }) => `${concurrent.eventLoopDelay.p99.toFixed(1)} ms`,
  );
  row('pixels between actors: moved', (report) => bytes(report.bytesBetweenActors.pixels.moved));
  row('pixels between actors: copied', (report) => bytes(report.bytesBetweenActors.pixels.copied));
  row('embeddings between actors: moved', (report) => bytes(report.bytesBetweenActors.embeddings.moved));
  row('embeddings between actors: copied', (report) => bytes(report.bytesBetweenActors.embeddings.copied));
  return table.toString();
}

const bytes = (count: number): string => `${count.toLocaleString('en-US')} bytes`;

function sum(answers: readonly Answer[], value: (answer: Answer) => number): number {
  return answers.reduce((total, answer) => total + value(answer), 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
