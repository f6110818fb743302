/**
 * Follows a compiled grammar byte by byte. All that is found out is kept: configurations are made once and know what each
 * byte leads to, so that walking the vocabulary again is looking up.
 */
import type { CompiledGrammar } from '../grammar/compiled-grammar.ts';
import { type Configuration, type Frame, type Item, type Return, ROUND } from './stack-node.ts';
import { stepsExceeded } from './steps-exceeded.ts';

/** Items in one configuration at most: only an ambiguous grammar gets there. */
const MAX_ITEMS = 2_000;

/** What is looked up of a grammar. */
export type SteppedGrammar = Omit<CompiledGrammar, 'takesSpace'>;

export class Stepper {
  readonly #grammar: SteppedGrammar;
  readonly #frames = new Map<string, Frame>();
  readonly #configurations = new Map<string, Configuration>();
  #nextFrame = 0;
  #generation = 0;
  #work = 0;

  constructor(grammar: SteppedGrammar) {
    this.#grammar = grammar;
  }

  /** Items made and looked at so far: what bounds on time go by. */
  get work(): number {
    return this.#work;
  }

  /** Configurations and frames held. */
  get size(): number {
    return this.#configurations.size + this.#frames.size;
  }

  /** How often all has been forgotten. */
  get generation(): number {
    return this.#generation;
  }

  /** Forgets all that can be found out again. Who holds a configuration goes on from `renewed` of it. */
  forget(): void {
    this.#frames.clear();
    this.#configurations.clear();
    this.#generation++;
  }

  /** The same place, without what has been found out from there: that would keep all of it in memory. */
  renewed({ items, ends }: Configuration): Configuration {
    return { items, ends, next: [], mask: undefined };
  }

  /** Where a rule begins that nothing has called. */
  begin(rule: number): Configuration {
    return this.closed([{ state: this.#grammar.ruleStart[rule] ?? 0, frame: this.bottom(rule) }]);
  }

  /** The frame of `rule` below all others. */
  bottom(rule: number): Frame {
    return this.frame(rule, [], 0, 0);
  }

  /** What `byte` leads to; `null`: it may not come. */
  step(from: Configuration, byte: number): Configuration | null {
    const at = this.#grammar.byteClass[byte] ?? 0;
    const known = from.next[at];
    if (known !== undefined) return known;
    const items: Item[] = [];
    for (const { state, frame } of from.items) {
      const target = this.#target(state, byte);
      if (target >= 0) items.push({ state: target, frame });
    }
    this.#work += from.items.length + 1;
    const next = items.length === 0 ? null : this.closed(items);
    from.next[at] = next;
    return next;
  }

  #target(state: number, byte: number): number {
    const { edgeOffset, edgeFrom, edgeTo, edgeTarget } = this.#grammar;
    let low = edgeOffset[state] ?? 0;
    let high = (edgeOffset[state + 1] ?? 0) - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (byte < (edgeFrom[middle] ?? 0)) high = middle - 1;
      else if (byte > (edgeTo[middle] ?? 0)) low = middle + 1;
      else return edgeTarget[middle] ?? -1;
    }
    return -1;
  }

  /** The configuration of these items: with what their rules come back to when they end, and what they call. */
  closed(items: readonly Item[]): Configuration {
    return this.#close(items, undefined);
  }

  /** Where the rule of `frame` has just ended. */
  behind(frame: Frame): Configuration {
    return this.#close([], frame);
  }

  #close(reached: readonly Item[], over: Frame | undefined): Configuration {
    const { accepting } = this.#grammar;
    const items = new Map<string, Item>();
    const calls = new Map<number, Return[]>();
    const queue = [...reached];
    const ended = new Set<Frame>();
    let ends = false;
    const end = (frame: Frame): void => {
      if (ended.has(frame)) return;
      ended.add(frame);
      if (frame.returns.length === 0) ends = true;
      for (const { state, frame: caller } of frame.returns) {
        if (state === ROUND) this.#round(caller, calls, end);
        else queue.push({ state, frame: caller });
      }
    };
    if (over !== undefined) end(over);
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) {
      const key = `${item.state}:${item.frame.id}`;
      if (items.has(key)) continue;
      items.set(key, item);
      this.#work++;
      if (items.size > MAX_ITEMS) throw stepsExceeded();
      if (accepting[item.state] === 1) end(item.frame);
      this.#addCalls(item, calls);
    }
    this.#enter(calls, items);
    return this.#configuration([...items.values()], ends);
  }

  /** A repetition has come through a round: it may end, and go round again. */
  #round(frame: Frame, calls: Map<number, Return[]>, end: (frame: Frame) => void): void {
    const need = Math.max(0, frame.need - 1);
    const room = frame.room - 1;
    const next = this.frame(frame.rule, frame.returns, need, room);
    if (need === 0) end(next);
    if (room > 0) addReturn(calls, this.#grammar.repeated[frame.rule] ?? 0, { state: ROUND, frame: next });
  }

  #addCalls({ state, frame }: Item, calls: Map<number, Return[]>): void {
    const { callOffset, callRule, callTarget } = this.#grammar;
    const last = callOffset[state + 1] ?? 0;
    for (let i = callOffset[state] ?? 0; i < last; i++) {
      addReturn(calls, callRule[i] ?? 0, { state: callTarget[i] ?? 0, frame });
    }
  }

  /** Makes the frames of called rules: callers first, so that a frame knows all it comes back to. */
  #enter(calls: Map<number, Return[]>, items: Map<string, Item>): void {
    const { ruleOrder, ruleStart, repeated, repeatMin, repeatMax } = this.#grammar;
    while (calls.size > 0) {
      let rule = -1;
      for (const candidate of calls.keys()) {
        if (rule < 0 || (ruleOrder[candidate] ?? 0) < (ruleOrder[rule] ?? 0)) rule = candidate;
      }
      const returns = calls.get(rule) ?? [];
      calls.delete(rule);
      this.#work += 1 + calls.size;
      const start = ruleStart[rule] ?? -1;
      const body = repeated[rule] ?? -1;
      if (start >= 0) {
        const frame = this.frame(rule, returns, 0, 0);
        const item = { state: start, frame };
        items.set(`${start}:${frame.id}`, item);
        this.#addCalls(item, calls);
      } else if (body >= 0) {
        const max = repeatMax[rule] ?? -1;
        const room = max < 0 ? Number.POSITIVE_INFINITY : max;
        if (room === 0) continue;
        const frame = this.frame(rule, returns, repeatMin[rule] ?? 0, room);
        addReturn(calls, body, { state: ROUND, frame });
      }
      if (items.size > MAX_ITEMS) throw stepsExceeded();
    }
  }

  /** The one frame of these facts. */
  frame(rule: number, returns: readonly Return[], need: number, room: number): Frame {
    const sorted = returns.toSorted((a, b) => a.frame.id - b.frame.id || a.state - b.state);
    const unique = sorted.filter(
      (one, i) => i === 0 || sorted[i - 1]?.frame !== one.frame || sorted[i - 1]?.state !== one.state,
    );
    const places = unique.map(({ state, frame }) => `${state}:${frame.id}`).join();
    const key = `${rule}|${need}|${room}|${places}`;
    let frame = this.#frames.get(key);
    if (frame === undefined) {
      const id = this.#nextFrame++;
      frame = { id, rule, returns: unique, need, room };
      this.#frames.set(key, frame);
    }
    return frame;
  }

  #configuration(all: readonly Item[], ends: boolean): Configuration {
    const { edgeOffset } = this.#grammar;
    const items = all
      .filter(({ state }) => (edgeOffset[state] ?? 0) < (edgeOffset[state + 1] ?? 0))
      .sort((a, b) => a.state - b.state || a.frame.id - b.frame.id);
    const key = `${ends ? 1 : 0}|${items.map(({ state, frame }) => `${state}:${frame.id}`).join()}`;
    let found = this.#configurations.get(key);
    if (found === undefined) {
      found = { items, ends, next: [], mask: undefined };
      this.#configurations.set(key, found);
    }
    return found;
  }
}

function addReturn(calls: Map<number, Return[]>, rule: number, back: Return): void {
  const list = calls.get(rule);
  if (list === undefined) calls.set(rule, [back]);
  else list.push(back);
}
