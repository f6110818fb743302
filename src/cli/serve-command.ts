/** `troupe serve`: serves until it is told to stop, then lets what is running end. */
import { once } from 'node:events';
import process from 'node:process';
import type { Logger } from 'pino';
import { gatherSettings } from '../config/gather-settings.ts';
import { createLogger } from '../server/observe/logger.ts';
import { TroupeServer } from '../server/serve.ts';
import {
  printableConfig,
  SERVER_SETTINGS,
  type ServerConfig,
  serverConfig,
} from '../server/server-config.ts';
import type { CommandContext } from './command-context.ts';
import { createProgress } from './progress.ts';
import type { FlagValue } from './setting-flags.ts';

export interface ServeFlags {
  readonly config: string | undefined;
  readonly printConfig: boolean;
  /** `troupe gateway` */
  readonly gateway: boolean;
  readonly settings: ReadonlyMap<string, FlagValue>;
}

/** Beyond the drain and the grace of the actors, until the process is ended by force, ms. */
const SPARE_MS = 5_000;

export async function runServer(flags: ServeFlags, { output, interrupt }: CommandContext): Promise<void> {
  const sources = { file: flags.config, env: process.env, flags: flags.settings };
  const { options, name, unknownVariables } = gatherSettings(SERVER_SETTINGS, sources);
  const config = serverConfig(flags.gateway ? { ...options, gateway: true } : options, name);
  if (flags.printConfig) {
    await output.write(`${JSON.stringify(printableConfig(config), null, 2)}\n`);
    return;
  }
  const logger = createLogger(config.log.level);
  for (const variable of unknownVariables) logger.warn({ variable }, 'unknown setting in the environment');
  interrupt.takeTime(config.drainMs + config.resolved.stopGraceMs + SPARE_MS);
  const { signal } = interrupt;
  const server = await start(config, signal, logger);
  const told = signal.aborted ? undefined : once(signal, 'abort').then(() => undefined);
  const failure = await Promise.race([told, server.failed]);
  await server.close();
  if (failure !== undefined) throw failure;
}

async function start(config: ServerConfig, signal: AbortSignal, logger: Logger): Promise<TroupeServer> {
  const progress = createProgress(true);
  try {
    const server = await TroupeServer.start(config, {
      logger,
      signal,
      onProgress: ({ message }) => progress.show(message),
    });
    progress.clear();
    if (process.stderr.isTTY)
      process.stderr.write(
        `Serving ${server.models.map((model) => model.name).join(', ')} on ${server.url}. Ctrl-C ends it.\n`,
      );
    return server;
  } finally {
    progress.clear();
  }
}
