/** JSON lines on standard output. */
import { hostname } from 'node:os';
import process from 'node:process';
import { type Logger, pino } from 'pino';
import { LogDestination } from './log-destination.ts';

export function createLogger(level: string): Logger {
  return pino({ level }, new LogDestination({ lostLine }));
}

/** A record like the others. */
function lostLine(lines: number): string {
  const { warn } = pino.levels.values;
  const base = { level: warn, time: Date.now(), pid: process.pid, hostname: hostname() };
  return JSON.stringify({ ...base, lines, msg: 'log lines lost' });
}
