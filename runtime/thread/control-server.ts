/** The thread's end of its control plane. */
import type { MessagePort } from 'node:worker_threads';
import { checkNesting, type EncodedPayload } from '../wire/payload-codec.ts';
import {
  type AskedQuestion,
  type ControlAnswer,
  type ControlMessage,
  type ControlOrder,
  type ControlQuestion,
  type Outcome,
  outcomeOf,
} from './thread-control.ts';

export interface ControlHandlers {
  answer(question: ControlQuestion): Promise<Outcome<unknown>>;
  /** What it throws ends the thread. */
  obey(order: ControlOrder): void;
}

/** Listens as long as the thread lives, and keeps it alive. */
export function serveControl(port: MessagePort, handlers: ControlHandlers): void {
  port.on('message', (message: ControlMessage) => {
    if ('question' in message) void answer(port, message, handlers);
    else handlers.obey(message);
  });
}

async function answer(
  port: MessagePort,
  { id, question }: AskedQuestion,
  handlers: ControlHandlers,
): Promise<void> {
  const outcome = await handlers.answer(question);
  const answered = { id, outcome } satisfies ControlAnswer;
  const retired = question.ask === 'retire' && outcome.ok ? (outcome.value as EncodedPayload) : undefined; // see ControlResults
  const sent = await outcomeOf(() => {
    // The system's thread has less stack than this one. What is handed over was looked at when it was encoded.
    if (outcome.ok && retired === undefined) checkNesting(outcome.value);
    port.postMessage(answered, retired?.transfer);
  });
  // What an actor says of itself can be something that cannot be cloned; an error always can.
  if (!sent.ok) port.postMessage({ id, outcome: sent } satisfies ControlAnswer);
}
