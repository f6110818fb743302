/** `troupe serve` in a process of its own, as its users run it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { pino } from 'pino';
import { serve } from '../../../src/server/serve.ts';
import { type CliProcess, startCli } from '../../src/cli/support/run-cli.ts';
import { type Nodes, startNodes, VIA_GATEWAY } from './behind-gateway.ts';
import { MODEL, MODEL_NAME } from './server.ts';

export interface ServerProcess {
  readonly child: CliProcess;
  readonly url: string;
  /** Every record that it has logged. */
  readonly log: readonly LogRecord[];
  /** Resolves when a record with this message has come. */
  logged(message: string): Promise<LogRecord>;
}

let nodes: Promise<Nodes> | undefined;
// Here, where it is of the whole file, and not of the test that first needs them.
after(async () => (await nodes)?.[Symbol.asyncDispose]());

/** What starts the server under test: a gateway before nodes that all of a file share, or one with the model. */
export async function serverCommand(args: readonly string[] = []): Promise<readonly string[]> {
  if (!VIA_GATEWAY) return serving(args);
  const logger = pino({ level: 'silent' });
  nodes ??= startNodes(serve, { model: MODEL, modelName: MODEL_NAME, drainMs: 0, logger });
  return ['gateway', '--nats', (await nodes).url];
}

export type LogRecord = Readonly<Record<string, unknown>> & { readonly msg: string };

/** The server under test. */
export async function startProcess(
  args: readonly string[],
  nodeArgs: readonly string[] = [],
  timeoutMs?: number,
): Promise<ServerProcess> {
  return await started([...(await serverCommand(args)), ...args], nodeArgs, timeoutMs);
}

/** One with the model, in any case. */
export function startNodeProcess(args: readonly string[], timeoutMs?: number): Promise<ServerProcess> {
  return started([...serving(args), ...args], [], timeoutMs);
}

function serving(args: readonly string[]): readonly string[] {
  const model = args.includes('--model') ? [] : ['--model', MODEL];
  return ['serve', ...model, '--model-name', MODEL_NAME];
}

async function started(
  args: readonly string[],
  nodeArgs: readonly string[],
  timeoutMs: number | undefined,
): Promise<ServerProcess> {
  const child = startCli([...args, '--port', '0'], {
    nodeArgs,
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  child.stdin.end();
  const log: LogRecord[] = [];
  const waiting: { message: string; resolve: (record: LogRecord) => void }[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const record: LogRecord = JSON.parse(line);
    log.push(record);
    for (const { message, resolve } of waiting) if (record.msg === message) resolve(record);
  });
  const logged = (message: string): Promise<LogRecord> => {
    const found = log.find(({ msg }) => msg === message);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => waiting.push({ message, resolve }));
  };
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended = once(child, 'exit').then(() => assert.fail(`the server ended: ${stderr}`));
  await Promise.race([logged('ready'), ended]);
  ended.catch(() => undefined);
  const { url } = await logged('listening');
  return { child, url: String(url), log, logged };
}
