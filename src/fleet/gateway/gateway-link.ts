/** A gateway's side of the wire: who the nodes are, which requests they have, and the messages between. */
import { randomUUID } from 'node:crypto';
import type { Msg } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { FleetConnection } from '../connection.ts';
import { nodeLost } from '../fleet-errors.ts';
import { ACCEPT_MS, ANNOUNCE_MS, SILENT_MS, TICK_MS } from '../fleet-times.ts';
import { memberName } from '../member-name.ts';
import { PatientClock } from '../patient-clock.ts';
import type { WorkKey } from '../request-keys.ts';
import type { ChatParcel } from '../wire/chat-parcel.ts';
import { decodeJson, encodeToNode } from '../wire/codec.ts';
import { fromFailure } from '../wire/failure.ts';
import {
  announcementSchema,
  clearedSchema,
  framesSchema,
  pieceSchema,
  replySchema,
  type Submit,
  type ToNode,
} from '../wire/messages.ts';
import { type FleetSubjects, fleetSubjects } from '../wire/subjects.ts';
import { type KnownNode, NodeTable } from './node-table.ts';
import { type AnyAttempt, RemoteAttempt } from './remote-attempt.ts';
import type { RemoteTask } from './remote-tasks.ts';

export interface Errand<Result> {
  readonly model: string;
  readonly task: RemoteTask<Result>;
  readonly parcel: ChatParcel;
  readonly work: readonly WorkKey[];
  /** Tokens that the node will have to run before the first of the answer. */
  readonly promptTokens: number;
  readonly leftMs: number;
  readonly trace: Submit['trace'];
}

/** What follows the head of a request travels with it up to here. */
const INLINE_BYTES = 256 * 1024;
const MOST_CANCELS = 1_024;

export class GatewayLink {
  readonly id = memberName('gateway');
  readonly clock: PatientClock;
  readonly nodes: NodeTable;
  readonly connection: FleetConnection;
  readonly #log: Logger;
  readonly #subjects: FleetSubjects;
  readonly #attempts = new Map<string, AnyAttempt>();
  /** Attempts that nodes may forget, by node. */
  readonly #finished = new Map<string, string[]>();
  readonly #timers: NodeJS.Timeout[];

  constructor(connection: FleetConnection, fleet: string, log: Logger) {
    this.connection = connection;
    this.#log = log;
    this.#subjects = fleetSubjects(fleet);
    this.clock = new PatientClock(() => connection.isConnected);
    this.nodes = new NodeTable(this.clock);
    connection.subscribe(this.#subjects.announce, ({ data }) =>
      this.nodes.heard(decodeJson(data, announcementSchema)),
    );
    connection.subscribe(this.#subjects.gateway(this.id), ({ data }) => this.#takeFrames(data));
    connection.subscribe(this.#subjects.piece(this.id), (message) => this.#sendPiece(message));
    connection.publish(this.#subjects.hello, new Uint8Array());
    this.#timers = [
      setInterval(() => this.#tick(), TICK_MS).unref(),
      setInterval(() => this.#beat(), ANNOUNCE_MS).unref(),
    ];
  }

  /**
   * Hands a request to a node.
   * @throws what the node refuses it with; TroupeError `FLEET_NODE_LOST` when it is not there or does not answer
   */
  async hand<Result>(node: KnownNode, errand: Errand<Result>): Promise<RemoteAttempt<Result>> {
    const id = randomUUID();
    const { parcel, model } = errand;
    const prompt = this.nodes.sent(node, model, errand.work, errand.promptTokens);
    const attempt = new RemoteAttempt<Result>(id, node.id, parcel.behind, {
      onBegun: () => this.nodes.promptRun(prompt),
      readResult: errand.task.readResult,
      now: () => this.clock.now,
      resume: (from) => this.#resume(node, id, from),
    });
    // Frames may come before the answer that it was taken.
    this.#attempts.set(id, attempt);
    try {
      await this.#submit(node, id, errand);
      return attempt;
    } catch (error) {
      this.finish(node, attempt, model);
      throw error;
    }
  }

  /** The attempt is over, or not wanted any more: the node may stop, and forget it. */
  finish(node: KnownNode, attempt: AnyAttempt, model: string): void {
    if (!this.#attempts.delete(attempt.id)) return;
    this.nodes.ended(node, model);
    const finished = this.#finished.get(node.id);
    if (finished === undefined) this.#finished.set(node.id, [attempt.id]);
    else finished.push(attempt.id);
    // What still computes is stopped now; what has ended can wait for company.
    if (!attempt.isOver) this.#sendCancels();
    attempt.fail(nodeLost(node.id));
  }

  async clearCaches(node: KnownNode, model: string): Promise<Readonly<Record<string, number>>> {
    const message = encodeToNode({ kind: 'clear-caches', model });
    const reply = await this.connection.request(this.#subjects.node(node.id), message, ACCEPT_MS);
    return 'data' in reply ? decodeJson(reply.data, clearedSchema) : {};
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#sendCancels();
    await this.connection.close();
  }

  async #submit(node: KnownNode, attempt: string, errand: Errand<unknown>): Promise<void> {
    const { parcel, model, task, work, promptTokens, leftMs, trace } = errand;
    const { images, chat, chatBytes, bytes } = parcel;
    const inline = bytes <= Math.min(INLINE_BYTES, this.connection.maxPayload / 2);
    const submit: Submit = {
      kind: 'submit',
      ...{ attempt, gateway: this.id, model, promptTokens, trace, inline, chatBytes },
      ...{ task: task.kind, pieces: task.pieces },
      deadlineAt: Date.now() - node.behindMs + leftMs,
      leftMs,
      keys: work.map(({ key }) => key),
      ...(chatBytes === 0 && { chat: { ...chat, messages: [...chat.messages] } }),
      images: images.map(({ length }) => length),
    };
    const data = encodeToNode(submit, inline ? parcel.behind : []);
    const reply = await this.connection.request(this.#subjects.node(node.id), data, ACCEPT_MS);
    if ('unanswered' in reply) {
      if (this.connection.isConnected) this.nodes.suspect(node);
      throw nodeLost(node.id);
    }
    const answer = decodeJson(reply.data, replySchema);
    if (!answer.ok) throw fromFailure(answer.failure);
  }

  async #resume(node: KnownNode, attempt: string, from: number): Promise<'known' | 'unknown' | 'late'> {
    const message = encodeToNode({ kind: 'resume', attempt, from });
    const reply = await this.connection.request(this.#subjects.node(node.id), message, SILENT_MS);
    if ('unanswered' in reply) {
      // Without a connection of our own, nothing is known of the node.
      if (reply.unanswered === 'nobody') this.nodes.suspect(node);
      return reply.unanswered === 'nobody' ? 'unknown' : 'late';
    }
    try {
      return decodeJson(reply.data, replySchema).ok ? 'known' : 'unknown';
    } catch {
      return 'unknown';
    }
  }

  #takeFrames(data: Uint8Array): void {
    for (const frame of decodeJson(data, framesSchema)) this.#attempts.get(frame.a)?.take(frame);
  }

  #sendPiece(message: Msg): void {
    const piece = decodeJson(message.data, pieceSchema);
    if (piece.length > this.connection.maxPayload) return;
    const bytes = this.#attempts.get(piece.attempt)?.piece(piece);
    message.respond(bytes ?? new Uint8Array());
  }

  #tick(): void {
    this.clock.tick();
    this.nodes.tick();
    for (const attempt of [...this.#attempts.values()]) attempt.check();
    this.#sendCancels();
  }

  #beat(): void {
    for (const { id } of this.nodes.all) this.#tell(id, { kind: 'beat', gateway: this.id });
  }

  #sendCancels(): void {
    for (const [node, attempts] of this.#finished) {
      for (let at = 0; at < attempts.length; at += MOST_CANCELS) {
        this.#tell(node, { kind: 'cancel', attempts: attempts.slice(at, at + MOST_CANCELS) });
      }
    }
    this.#finished.clear();
  }

  #tell(node: string, message: ToNode): void {
    if (!this.connection.publish(this.#subjects.node(node), encodeToNode(message))) {
      this.#log.debug({ node, kind: message.kind }, 'not told: no connection to NATS');
    }
  }
}
