/**
 * A server as a member of a fleet: says how it is, takes requests of gateways beside those of its own HTTP port, and gives
 * up those whose gateway is gone.
 */
import type { Service } from '@nats-io/services';
import type { Logger } from 'pino';
import { TroupeError } from '../../../runtime/errors.ts';
import { messageOf } from '../../../runtime/util/realms.ts';
import type { ServerState } from '../../server/server-state.ts';
import { WaitingBudget } from '../../server/waiting-budget.ts';
import { VERSION } from '../../version.ts';
import { FleetConnection } from '../connection.ts';
import { noNode } from '../fleet-errors.ts';
import { ANNOUNCE_MS, BEAT_MS, LEASE_MS } from '../fleet-times.ts';
import { memberName } from '../member-name.ts';
import { decodeToNode, encodeJson } from '../wire/codec.ts';
import { toFailure } from '../wire/failure.ts';
import { type Submit, type ToNode, toNodeSchema } from '../wire/messages.ts';
import { type FleetSubjects, fleetSubjects } from '../wire/subjects.ts';
import { FrameLog } from './frame-log.ts';
import { HeldKeys } from './held-keys.ts';
import { NodeAnnouncer } from './node-announcer.ts';
import { bytesOf, deadlineExceeded, leftOf, NodeRequest } from './node-request.ts';
import { Outbox } from './outbox.ts';

interface Question {
  readonly data: Uint8Array;
  respond(data: Uint8Array): unknown;
}

export class FleetNode {
  readonly name: string;
  readonly #state: ServerState;
  readonly #log: Logger;
  readonly #connection: FleetConnection;
  readonly #subjects: FleetSubjects;
  readonly #keys = new HeldKeys();
  readonly #announcer: NodeAnnouncer;
  readonly #outbox: Outbox;
  readonly #budget: WaitingBudget;
  readonly #requests = new Map<string, NodeRequest>();
  /** When each ended, on the clock of the process, ms. */
  readonly #endedAt = new Map<string, number>();
  readonly #gateways = new Map<string, number>();
  readonly #timers: NodeJS.Timeout[] = [];
  #service: Service | undefined;

  private constructor(state: ServerState, name: string, connection: FleetConnection) {
    const { nats, resolved } = state.config;
    this.name = name;
    this.#state = state;
    this.#log = state.log;
    this.#connection = connection;
    this.#subjects = fleetSubjects(nats.fleet);
    this.#announcer = new NodeAnnouncer(state, name, this.#keys, (model) => this.#waitingTokens(model));
    this.#outbox = new Outbox(connection, this.#subjects);
    this.#budget = new WaitingBudget(resolved.memory.fetchedBytes);
  }

  /** @throws TroupeError `FLEET_UNREACHABLE`; InputError `INVALID_OPTION` */
  static async join(state: ServerState): Promise<FleetNode> {
    const { nats } = state.config;
    const name = memberName(nats.node);
    const node = new FleetNode(
      state,
      name,
      await FleetConnection.open(nats, `troupe node ${name}`, state.log),
    );
    await node.#start();
    state.log.info({ node: name, fleet: nats.fleet }, 'member of a fleet');
    return node;
  }

  /** Says that it takes no more requests; those it has go on. */
  drain(): void {
    this.#announce();
  }

  /** When all requests have ended. */
  async leave(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#outbox.flush();
    this.#publish(this.#announcer.announcement({ gone: true }));
    if (this.#connection.isConnected) await this.#service?.stop();
    await this.#connection.close();
  }

  async #start(): Promise<void> {
    const { Svcm } = await import('@nats-io/services');
    const { fleet } = this.#state.config.nats;
    // The library of services is typed by another version of the client's core, which differs in what is not used here.
    const nats = this.#connection.nats as unknown as ConstructorParameters<typeof Svcm>[0];
    const service = await new Svcm(nats).add({
      name: 'troupe',
      version: VERSION,
      description: 'answers questions about images',
      metadata: { fleet, node: this.name },
      statsHandler: async () => this.#announcer.announcement({ everything: true }),
    });
    this.#service = service;
    const subject = this.#subjects.node(this.name);
    service.addEndpoint('requests', {
      subject,
      handler: (error, message) => {
        if (error !== null)
          this.#log.error({ subject, reason: messageOf(error) }, 'NATS refuses a subscription');
        else this.#connection.guard(subject, () => this.#take(message));
      },
    });
    this.#connection.subscribe(this.#subjects.hello, () => this.#announce(true));
    this.#every(ANNOUNCE_MS, () => {
      void this.#announcer.look();
      this.#announce();
    });
    this.#every(BEAT_MS, () => this.#beat());
    this.#announce(true);
  }

  #every(ms: number, work: () => void): void {
    this.#timers.push(setInterval(work, ms).unref());
  }

  #announce(everything = false): void {
    this.#publish(this.#announcer.announcement({ everything }));
  }

  #publish(announcement: object): void {
    this.#connection.publish(this.#subjects.announce, encodeJson(announcement));
  }

  #waitingTokens(model: string): number {
    let sum = 0;
    for (const request of this.#requests.values()) if (request.model === model) sum += request.waitingTokens;
    return sum;
  }

  #beat(): void {
    const now = performance.now();
    for (const [id, request] of this.#requests) {
      const heardAt = this.#gateways.get(request.gateway) ?? 0;
      if (!request.ended) {
        request.log.beat();
        if (now - heardAt > LEASE_MS) request.abort(gatewayGone());
        continue;
      }
      const endedAt = this.#endedAt.get(id) ?? now;
      this.#endedAt.set(id, endedAt);
      if (now - endedAt > LEASE_MS) this.#forget(id);
      else request.log.beat(); // its end may have been lost on the way
    }
    for (const [gateway, heardAt] of this.#gateways) {
      if (now - heardAt > 2 * LEASE_MS) this.#gateways.delete(gateway);
    }
  }

  #forget(id: string): void {
    this.#requests.delete(id);
    this.#endedAt.delete(id);
  }

  /** @throws TroupeError `FLEET_MESSAGE_INVALID` */
  #take(question: Question): void {
    const { message, bytes } = decodeToNode(question.data, toNodeSchema);
    this.#answer(message, bytes, question);
  }

  #answer(message: ToNode, bytes: Uint8Array, question: Question): void {
    switch (message.kind) {
      case 'submit':
        question.respond(encodeJson(this.#submit(message, bytes)));
        return;
      case 'cancel':
        for (const id of message.attempts) {
          this.#requests.get(id)?.abort(cancelled());
          this.#forget(id);
        }
        return;
      case 'resume': {
        const request = this.#requests.get(message.attempt);
        request?.log.resend(message.from);
        question.respond(
          encodeJson(
            request === undefined ? { ok: false, failure: toFailure(unknownAttempt()) } : { ok: true },
          ),
        );
        return;
      }
      case 'beat':
        this.#gateways.set(message.gateway, performance.now());
        return;
      case 'clear-caches':
        void this.#clearCaches(message.model).then((cleared) => question.respond(encodeJson(cleared)));
        return;
      default:
        message satisfies never;
    }
  }

  #submit(submit: Submit, inline: Uint8Array): object {
    try {
      if (!this.#requests.has(submit.attempt)) this.#accept(submit, inline);
      return { ok: true };
    } catch (error) {
      return { ok: false, failure: toFailure(error) };
    }
  }

  /** @throws TroupeError when it cannot be taken: another node may */
  #accept(submit: Submit, inline: Uint8Array): void {
    const { attempt, gateway, keys } = submit;
    this.#state.assertOpen();
    if (leftOf(submit) <= 0) throw deadlineExceeded(0);
    const model = this.#state.models.get(submit.model);
    if (model === undefined) throw noNode(submit.model);
    const { queue, config } = model;
    const open = this.#requests.size - this.#endedAt.size;
    const mostOpen = config.maxInFlight + queue.maxWaiting;
    if (queue.isFullFor(`fleet ${gateway}`) || open >= mostOpen || bytesOf(submit) > this.#budget.limit)
      throw full();
    this.#gateways.set(gateway, performance.now());
    // Its own memory: what the client library hands out is a view of what came from the socket.
    const request = new NodeRequest({
      state: this.#state,
      connection: this.#connection,
      subjects: this.#subjects,
      budget: this.#budget,
      log: new FrameLog(attempt, gateway, this.#outbox),
      ...{ model, submit, inline: new Uint8Array(inline) },
    });
    this.#requests.set(attempt, request);
    void request.run().then(() => this.#keys.add(keys));
  }

  async #clearCaches(name: string): Promise<object> {
    const engine = this.#state.models.get(name)?.slot.engine;
    this.#keys.clear();
    return (await engine?.clearCaches().catch(() => undefined)) ?? {};
  }
}

function full(): TroupeError {
  return new TroupeError('the node has all the requests that it can take', {
    code: 'QUEUE_FULL',
    retrySafe: true,
  });
}

function cancelled(): TroupeError {
  return new TroupeError('the gateway does not want the answer any more', {
    code: 'ABORTED',
    retrySafe: true,
  });
}

function gatewayGone(): TroupeError {
  return new TroupeError('the gateway of the request is gone', { code: 'ABORTED', retrySafe: true });
}

function unknownAttempt(): TroupeError {
  return new TroupeError('the node does not have this request', { code: 'FLEET_NODE_LOST', retrySafe: true });
}
