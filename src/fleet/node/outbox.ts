/**
 * Frames on their way to gateways. All that come up within a turn of the event loop go to a gateway in one message: a step
 * of the engine makes a token for each of its requests, and a message costs as much as many frames.
 */
import type { FleetConnection } from '../connection.ts';
import type { FleetSubjects } from '../wire/subjects.ts';

/** Well below NATS' default limit of 1 MiB, so that no message holds up the others for long. */
const MESSAGE_CHARACTERS = 64 * 1024;

export class Outbox {
  readonly #connection: FleetConnection;
  readonly #subjects: FleetSubjects;
  readonly #waiting = new Map<string, string[]>();
  #scheduled = false;

  constructor(connection: FleetConnection, subjects: FleetSubjects) {
    this.#connection = connection;
    this.#subjects = subjects;
  }

  /** @param frame as JSON */
  push(gateway: string, frame: string): void {
    const frames = this.#waiting.get(gateway);
    if (frames === undefined) this.#waiting.set(gateway, [frame]);
    else frames.push(frame);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.flush());
  }

  /** What cannot be sent now is asked for again. */
  flush(): void {
    this.#scheduled = false;
    for (const [gateway, frames] of this.#waiting) {
      const subject = this.#subjects.gateway(gateway);
      for (const message of messagesOf(frames)) {
        this.#connection.publish(subject, Buffer.from(`[${message.join(',')}]`));
      }
    }
    this.#waiting.clear();
  }
}

function* messagesOf(frames: readonly string[]): Generator<readonly string[]> {
  let message: string[] = [];
  let size = 0;
  for (const frame of frames) {
    if (size > 0 && size + frame.length > MESSAGE_CHARACTERS) {
      yield message;
      message = [];
      size = 0;
    }
    message.push(frame);
    size += frame.length;
  }
  if (message.length > 0) yield message;
}
