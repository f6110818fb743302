/** `npm run bench`: runs the suites one after the other, prints their tables and writes all figures as JSON. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type MachineInfo, machineInfo } from './machine.ts';
import { formatTable } from './print-table.ts';
import type { Table } from './suite.ts';
import { SUITES } from './suites/index.ts';

const HELP = `Usage: npm run bench -- [options]

Measures Troupe against its peers on this machine and prints medians and ratios.

Options:
  --suite NAME   run this suite only (repeatable): ${SUITES.map(({ name }) => name).join(', ')}
  --quick        a shorter look; not for publication
  --json FILE    where to write the figures (default: bench/results/latest.json)
  --help         show this

Suites:
${SUITES.map(({ name, description }) => `  ${name.padEnd(12)} ${description}`).join('\n')}
`;

interface Report {
  readonly machine: MachineInfo;
  readonly quick: boolean;
  readonly suites: Record<string, readonly Table[]>;
}

const { values } = parseArgs({
  options: {
    suite: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    json: { type: 'string', default: resolve(import.meta.dirname, 'results', 'latest.json') },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else await runSuites(values.suite ?? SUITES.map(({ name }) => name), values.quick, values.json);

async function runSuites(names: readonly string[], quick: boolean, file: string): Promise<void> {
  const unknown = names.find((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown !== undefined) {
    process.stderr.write(`bench: there is no suite "${unknown}"; see --help\n`);
    process.exitCode = 2;
    return;
  }
  const machine = machineInfo();
  process.stdout.write(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, onnxruntime ${machine.onnxruntime}\n\n`,
  );
  const report: Report = { machine, quick, suites: {} };
  for (const suite of SUITES) {
    if (!names.includes(suite.name)) continue;
    const tables = await suite.run({ quick });
    report.suites[suite.name] = tables;
    for (const table of tables) process.stdout.write(`${formatTable(table)}\n`);
  }
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
  process.stdout.write(`Written to ${relative(process.cwd(), resolve(file))}\n`);
}
