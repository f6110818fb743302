/**
 * JSON lines on standard output. They are written off the main thread: a write into a pipe that nobody reads blocks, and
 * with it all that the main thread answers.
 */
import { type Logger, pino } from 'pino';

/** Log records that wait for a slow reader of them, bytes; more are dropped, for the server must not wait. */
const LOG_BUFFER_BYTES = 4 * 1024 * 1024;

export function createLogger(level: string): Logger {
  return pino({ level }, pino.destination({ sync: false, maxLength: LOG_BUFFER_BYTES }));
}
