/** `npm run bench`: runs the suites one after the other, prints their results and writes all figures as JSON. */
import { dirname, join, relative, resolve } from 'node:path';
import process from 'node:process';
import { HELP, parseFlags, type RunFlags, UsageError } from './flags.ts';
import { generatedModel } from './generated-model/generate.ts';
import { machineInfo } from './machine.ts';
import { formatResult } from './print-table.ts';
import { saveSuite } from './results.ts';
import { isMet, type SuiteOptions } from './suite.ts';
import { SUITES } from './suites/index.ts';

try {
  const flags = parseFlags(process.argv.slice(2));
  if (flags.action === 'help') process.stdout.write(HELP);
  else if (flags.action === 'make-model') process.stdout.write(`${await made(flags.options)}\n`);
  else if (flags.action === 'report') await report(flags);
  else await runSuites(flags);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`bench: ${error.message}; see --help\n`);
  process.exitCode = 2;
}

/** One precision where one is asked for: the larger shapes take gigabytes. */
function made({ dtype, ...options }: SuiteOptions): Promise<string> {
  const some = options.shape === undefined || dtype === undefined ? {} : { precisions: [dtype] };
  return generatedModel({ ...options, ...some });
}

async function runSuites({ suites, options, resultsFile }: RunFlags): Promise<void> {
  const machine = machineInfo();
  process.stdout.write(
    `${machine.cpu}, ${machine.cores} cores${machine.gpu === undefined ? '' : `, ${machine.gpu}`}, Node ${machine.node}, onnxruntime ${machine.onnxruntime}\n\n`,
  );
  for (const suite of SUITES) {
    if (!suites.includes(suite.name)) continue;
    process.stderr.write(`${suite.name}: ${suite.description}\n`);
    const result = await suite.run(options);
    process.stdout.write(`${formatResult(result)}\n`);
    const finishedAt = new Date().toISOString();
    await saveSuite(resultsFile, suite.name, { machine, finishedAt, options, result });
    if (result.claims?.some((claim) => claim.required && !isMet(claim))) process.exitCode = 1;
  }
  process.stdout.write(`Written to ${relative(process.cwd(), resolve(resultsFile))}\n`);
}

/** Quick figures are not for publication: their report stays beside them. */
async function report({ options, resultsFile, beforeFile }: RunFlags): Promise<void> {
  // What draws the plots is not there on a bare machine.
  const { REPORT_FOLDER, writeReport } = await import('./report/write-report.ts');
  const folder = options.quick ? join(dirname(resultsFile), 'quick-report') : REPORT_FOLDER;
  for (const file of await writeReport(folder, resultsFile, beforeFile)) {
    process.stdout.write(`${relative(process.cwd(), file)}\n`);
  }
}
