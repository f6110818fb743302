/**
 * Timers whose ends are messages: they wait in the actor's own mailbox, behind what was there before, and are handled like
 * any other `tell`, one at a time. So a timer never runs in the middle of a handler that waits.
 */
import { FlowSender } from '../channel/flow-control.ts';
import { UnderWay } from '../channel/under-way.ts';
import { ActorError } from '../errors.ts';
import type { Methods } from '../protocol.ts';
import { InProcessTransport } from '../transport/in-process.ts';
import { textOf } from '../util/realms.ts';
import { after, timerMs } from '../util/timers.ts';
import type { ChannelToken } from '../wire/messages.ts';

export interface SelfTimersOwner {
  readonly name: string;
  readonly methods: Methods;
  readonly stopping: AbortSignal;
  connect(token: ChannelToken): void;
}

/** Ends a timer; no effect on one that is over. */
export type EndTimer = () => void;

export class SelfTimers {
  readonly #owner: SelfTimersOwner;
  #channel: { readonly port: InProcessTransport; readonly flow: FlowSender } | undefined;
  #sent = 0;

  constructor(owner: SelfTimersOwner) {
    this.#owner = owner;
  }

  after(ms: number, method: string, payload: unknown): EndTimer {
    if (typeof ms !== 'number' || Number.isNaN(ms)) throw this.#noTime(ms, 'after');
    const send = this.#sender(method);
    const timer = after(ms, () => {
      send(payload);
      end();
    });
    const end = this.#endOf(() => clearTimeout(timer));
    return end;
  }

  /** One that still waits in the mailbox when the next is due is that one, too. */
  every(ms: number, method: string, payload: unknown): EndTimer {
    if (typeof ms !== 'number' || !(ms > 0)) throw this.#noTime(ms, 'every');
    const send = this.#sender(method);
    let waiting = () => false;
    const timer = setInterval(() => {
      if (!waiting()) waiting = send(payload);
    }, timerMs(ms));
    return this.#endOf(() => clearInterval(timer));
  }

  /** Puts messages into the own mailbox; each time a question whether that one still waits there. */
  #sender(method: string): (payload: unknown) => () => boolean {
    const { name, methods } = this.#owner;
    if (!Object.hasOwn(methods, method) || methods[method]?.kind !== 'tell') {
      throw new ActorError(`${name} has no "tell" of the name "${method}"`, {
        code: 'PROTOCOL_VIOLATION',
        details: { actor: name, method },
      });
    }
    this.#channel ??= this.#connect();
    const { port, flow } = this.#channel;
    return (payload) => {
      flow.spend(0);
      port.post({ t: 'tell', method, payload, bytes: 0 });
      const number = ++this.#sent;
      return () => this.#sent - flow.unstarted < number;
    };
  }

  #noTime(ms: unknown, when: 'after' | 'every'): ActorError {
    const shown = textOf(ms);
    return new ActorError(`${this.#owner.name}: a timer cannot fire ${when} ${shown} ms`, {
      code: 'PROTOCOL_VIOLATION',
      details: { ms: shown },
    });
  }

  #connect(): { readonly port: InProcessTransport; readonly flow: FlowSender } {
    const flow = FlowSender.createBuffer();
    const [port, theirs] = InProcessTransport.pair();
    port.listen({ onMessage() {}, onClose() {} });
    // Of a memory of their own: what an actor sends to itself is never on its way.
    this.#owner.connect({ port: theirs, flow, underWay: new UnderWay().buffer });
    return { port, flow: new FlowSender(flow) };
  }

  #endOf(clear: () => void): EndTimer {
    const { stopping } = this.#owner;
    const end = () => {
      clear();
      stopping.removeEventListener('abort', end);
    };
    // A handler that was in progress may begin one still.
    if (stopping.aborted) clear();
    else stopping.addEventListener('abort', end, { once: true });
    return end;
  }
}
