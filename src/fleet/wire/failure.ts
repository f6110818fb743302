/** Errors between processes: class, code, message and details, and nothing that tells of the machine they come from. */
import { TroupeError } from '../../../runtime/errors.ts';
import { decodeError } from '../../../runtime/wire/error-codec.ts';
import { type Failure, failureSchema } from './messages.ts';

/** What is no failure that a caller can act on is said in general words: its own may name paths or code. */
export function toFailure(error: unknown): Failure {
  if (TroupeError.is(error)) {
    const { name, code, message, retrySafe, details } = error;
    const checked = failureSchema.safeParse({ name, code, message, retrySafe, details: { ...details } });
    if (checked.success) return checked.data;
  }
  return {
    name: 'TroupeError',
    code: 'FLEET_NODE_FAILED',
    message: 'a node failed to answer',
    retrySafe: false,
    details: {},
  };
}

/** The same error, of its own class. */
export function fromFailure({ name, code, message, retrySafe, details }: Failure): Error {
  return decodeError({
    name,
    message,
    lineage: name === 'TroupeError' ? [name, 'Error'] : [name, 'TroupeError', 'Error'],
    branded: true,
    fields: { code, retrySafe, details },
    stack: undefined,
    cause: undefined,
    errors: undefined,
  });
}
