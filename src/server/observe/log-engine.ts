/** The engine's life in the log. */
import type { Logger } from 'pino';
import { TroupeError } from '../../../runtime/errors.ts';
import type { ServedEngine } from '../../served-engine.ts';

export function logEngine({ events }: ServedEngine, log: Logger): void {
  events.on('actor:down', ({ actor, error }) => {
    if (error !== undefined) log.error({ actor, err: error }, 'actor crashed');
  });
  events.on('actor:restarting', ({ actor, attempt, pauseMs }) =>
    log.warn({ actor, attempt, pauseMs }, 'actor restarting'),
  );
  events.on('actor:up', ({ actor }) => log.info({ actor }, 'actor up'));
  events.on('actor:escalated', ({ actor, error }) => log.fatal({ actor, err: error }, 'actor given up'));
  events.on('actor:hung', ({ actor }) => log.error({ actor }, 'actor hung'));
  events.on('model:changed', ({ path, inPlace }) => {
    if (inPlace) log.fatal({ path }, 'a model file was written to while it was in use');
    else log.warn({ path }, 'a model file was replaced: start anew to serve it');
  });
  events.on('actor:quarantined', ({ actor }) => log.error({ actor }, 'actor left behind'));
  events.on('request:retry', ({ requestId, attempt, error }) =>
    log.warn({ engineRequestId: requestId, attempt, code: TroupeError.is(error) ? error.code : '' }, 'retry'),
  );
}
