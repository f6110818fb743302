/** The nodes of a fleet as a gateway knows them: by what they say of themselves, and by what it has sent them since. */
import { Events } from '../../../runtime/util/events.ts';
import { FORGET_MS, STALE_MS } from '../fleet-times.ts';
import type { PatientClock } from '../patient-clock.ts';
import type { WorkKey } from '../request-keys.ts';
import type { AnnouncedModel, Announcement } from '../wire/messages.ts';
import { type Chosen, chooseNode, type NodeChoice } from './choose-node.ts';
import { KeyIndex } from './key-index.ts';

/** Names and processes that come and go must not fill the memory of a gateway. */
const MOST_NODES = 4_096;

/** By so much a clock may drift away from the smallest difference that was seen, with each word of the node, ms. */
const DRIFT_MS = 0.5;

export interface KnownNode {
  readonly id: string;
  announcement: Announcement;
  /** On the patient clock. */
  heardAt: number;
  /** What its wall clock is behind ours, at most by the time of a message on its way, ms. */
  behindMs: number;
  /** Requests of ours since its last word, less those that ended. */
  readonly sentSince: Map<string, number>;
  /** Tokens of prompts of ours since its last word, less those that were run. */
  readonly tokensSince: Map<string, number>;
  /** How often it has spoken. */
  words: number;
  /** It did not answer: not to be chosen before it speaks again. */
  isSuspect: boolean;
}

export interface NodeTableEvents {
  /** Somebody has spoken, came or went. */
  changed: [];
  came: [KnownNode];
  went: [KnownNode];
}

/** A prompt that a node was sent, and when, by its words. */
export interface SentPrompt {
  readonly node: KnownNode;
  readonly model: string;
  readonly tokens: number;
  readonly words: number;
}

interface Candidate extends NodeChoice {
  readonly node: KnownNode;
}

export class NodeTable {
  readonly events = new Events<NodeTableEvents>();
  readonly #clock: PatientClock;
  readonly #nodes = new Map<string, KnownNode>();
  readonly #keys = new KeyIndex();

  constructor(clock: PatientClock) {
    this.#clock = clock;
  }

  get all(): readonly KnownNode[] {
    return [...this.#nodes.values()];
  }

  heard(announcement: Announcement): void {
    const { node: id, gone, clock, keys } = announcement;
    const known = this.#nodes.get(id);
    if (gone) {
      if (known !== undefined) this.#remove(known);
      return;
    }
    if (known === undefined && this.#nodes.size >= MOST_NODES) return;
    const behindMs = Date.now() - clock;
    const node: KnownNode = known ?? {
      id,
      announcement,
      behindMs,
      heardAt: 0,
      sentSince: new Map(),
      tokensSince: new Map(),
      words: 0,
      isSuspect: false,
    };
    node.announcement = announcement;
    node.heardAt = this.#clock.now;
    // The smallest difference is that of the message that was fastest.
    node.behindMs = Math.min(behindMs, node.behindMs + DRIFT_MS);
    node.isSuspect = false;
    node.sentSince.clear();
    node.tokensSince.clear();
    node.words += 1;
    this.#nodes.set(id, node);
    if (known === undefined) this.#keys.replace(id, keys ?? []);
    else if (keys !== undefined) this.#keys.replace(id, keys);
    if (known === undefined) this.events.emit('came', node);
    this.events.emit('changed');
  }

  /** Forgets those that have not spoken for long. */
  tick(): void {
    for (const node of this.#nodes.values()) {
      if (this.#clock.now - node.heardAt > FORGET_MS) this.#remove(node);
    }
  }

  /** Nodes that take requests for this model. */
  serving(model: string): readonly KnownNode[] {
    return this.all.filter((node) => this.#serves(node, model));
  }

  /** The node for a request; undefined when there is none but those that were tried. */
  choose(model: string, work: readonly WorkKey[], tried: ReadonlySet<string>): Chosen<KnownNode> | undefined {
    const nodes = new Map<string, Candidate>();
    for (const node of this.serving(model)) {
      const said = modelOf(node, model);
      if (said === undefined || tried.has(node.id)) continue;
      const load = said.running + said.waiting + (node.sentSince.get(model) ?? 0);
      const waitingTokens = said.waitingTokens + (node.tokensSince.get(model) ?? 0);
      const { places } = said;
      nodes.set(node.id, { id: node.id, places, load: Math.max(0, load), waitingTokens, node });
    }
    if (nodes.size === 0) return undefined;
    const list = [...nodes.values()];
    const holders = (key: string) => [...this.#keys.holders(key)].flatMap((id) => nodes.get(id) ?? []);
    const { node, heldTokens } = chooseNode({ nodes: list, work, holders, random: Math.random });
    return { node: node.node, heldTokens };
  }

  /** @param tokens that it will have to run */
  sent(node: KnownNode, model: string, work: readonly WorkKey[], tokens: number): SentPrompt {
    node.sentSince.set(model, (node.sentSince.get(model) ?? 0) + 1);
    node.tokensSince.set(model, (node.tokensSince.get(model) ?? 0) + tokens);
    this.#keys.add(
      node.id,
      work.map(({ key }) => key),
    );
    return { node, model, tokens, words: node.words };
  }

  /** The prompt was run; after its next word the node counts it itself. */
  promptRun({ node, model, tokens, words }: SentPrompt): void {
    if (node.words !== words) return;
    node.tokensSince.set(model, Math.max(0, (node.tokensSince.get(model) ?? 0) - tokens));
  }

  ended(node: KnownNode, model: string): void {
    node.sentSince.set(model, (node.sentSince.get(model) ?? 0) - 1);
  }

  /** It is not there, or does not answer. */
  suspect(node: KnownNode): void {
    node.isSuspect = true;
    this.events.emit('changed');
  }

  stateOf(node: KnownNode): 'up' | 'draining' | 'silent' {
    if (node.isSuspect || this.#clock.now - node.heardAt > STALE_MS) return 'silent';
    return node.announcement.draining ? 'draining' : 'up';
  }

  #serves(node: KnownNode, model: string): boolean {
    return this.stateOf(node) === 'up' && modelOf(node, model)?.ready === true;
  }

  #remove(node: KnownNode): void {
    this.#nodes.delete(node.id);
    this.#keys.remove(node.id);
    this.events.emit('went', node);
    this.events.emit('changed');
  }
}

export function modelOf({ announcement }: KnownNode, name: string): AnnouncedModel | undefined {
  return announcement.models.find((model) => model.name === name);
}
