/** How a request fails on account of the fleet, and not of itself. What was lost may be sent again. */
import { TroupeError } from '../../runtime/errors.ts';

export function noNode(model: string): TroupeError {
  return new TroupeError(`no node of the fleet serves ${model} now`, {
    code: 'FLEET_NO_NODE',
    retrySafe: true,
    details: { model },
  });
}

export function fleetUnreachable(cause?: unknown): TroupeError {
  return new TroupeError('the NATS servers of the fleet cannot be reached', {
    code: 'FLEET_UNREACHABLE',
    retrySafe: true,
    cause,
  });
}

/** @param moves how often the request was given to another node before */
export function nodeLost(node: string, moves = 0, cause?: unknown): TroupeError {
  return new TroupeError(`the node ${node} was lost while it answered`, {
    code: 'FLEET_NODE_LOST',
    retrySafe: true,
    details: { node, moves },
    cause,
  });
}

/** Another node's answer does not begin with what the client has already. */
export function diverged(node: string): TroupeError {
  return new TroupeError(
    `the answer could not be continued on ${node}: it does not begin with what was sent`,
    {
      code: 'FLEET_ANSWER_DIVERGED',
      retrySafe: true,
      details: { node },
    },
  );
}

/** What came over the wire is not what it should be. */
export function badMessage(problem: string): TroupeError {
  return new TroupeError(`a message of the fleet ${problem}`, {
    code: 'FLEET_MESSAGE_INVALID',
    retrySafe: true,
  });
}
