/** `npm run demo`: asks the embedded model about the pictures in examples/, in both modes, and compares the modes. */
import process from 'node:process';
import { styleText } from 'node:util';
import { printStream } from '../src/cli/print-stream.ts';
import { StandardOutput } from '../src/cli/standard-output.ts';
import { type ChatResult, type ChatStream, MODES, type Mode, Troupe } from '../src/index.ts';
import { askAll, type Present } from './demo/ask-all.ts';
import { readConversations } from './demo/conversations.ts';
import { comparison, type ModeReport, modeReport } from './demo/mode-report.ts';
import { underLoad } from './demo/under-load.ts';
import { flagsOf } from './flags.ts';

const HELP = `Usage: npm run demo [-- options]

Asks the embedded model about the pictures in examples/, first in aggregated and then in disaggregated mode, then
keeps 16 requests in flight in each, and compares the modes.

Options:
  --json   print one JSON object with every answer and figure; times are milliseconds
  --help   show this
`;

const output = new StandardOutput();
const values = flagsOf(HELP, { json: { type: 'boolean', default: false } });
await demo(values.json ? consume : show, values.json ? printJson : printComparison);

async function demo(
  present: Present,
  finish: (reports: ReadonlyMap<Mode, ModeReport>) => Promise<void>,
): Promise<void> {
  const conversations = await readConversations();
  const reports = new Map<Mode, ModeReport>();
  for (const mode of MODES) {
    if (!values.json) await output.write(`${styleText(['bold', 'underline'], mode)}\n\n`);
    await using troupe = await Troupe.start({ mode });
    const answers = await askAll(troupe, conversations, present);
    reports.set(mode, modeReport(answers, await underLoad(troupe, conversations)));
  }
  await finish(reports);
}

async function show(pictures: readonly string[], question: string, stream: ChatStream): Promise<ChatResult> {
  await output.write(`${styleText('cyan', pictures.join(' + '))}\n  ${styleText('dim', question)}\n  `);
  const result = await printStream(stream, output, () => undefined);
  await output.write('\n');
  return result;
}

async function consume(
  _pictures: readonly string[],
  _question: string,
  stream: ChatStream,
): Promise<ChatResult> {
  for await (const _ of stream) {
    // Read for its result.
  }
  return await stream.result;
}

async function printComparison(reports: ReadonlyMap<Mode, ModeReport>): Promise<void> {
  const [first, ...others] = [...reports.values()].map(({ answers }) =>
    answers.map(({ text }) => text).join('\n'),
  );
  const same = others.every((texts) => texts === first);
  await output.write(
    `${comparison(reports)}\nThe answers of the modes are ${same ? 'the same' : 'NOT the same'}.\n`,
  );
  if (!same) process.exitCode = 1;
}

async function printJson(reports: ReadonlyMap<Mode, ModeReport>): Promise<void> {
  await output.write(`${JSON.stringify(Object.fromEntries(reports))}\n`);
}
