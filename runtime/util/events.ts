/**
 * An event emitter whose listeners cannot hurt who emits. Supervision, retries and the ends of requests go on behind an
 * event: a listener that throws, or whose promise is rejected, is reported as a warning of the process, and the others
 * are called as if nothing had happened.
 */
import { EventEmitter } from 'eventemitter3';
import { isThenable } from './realms.ts';
import { warnOfFailure } from './warning.ts';

type Listener<Map extends object, Name extends EventEmitter.EventNames<Map>> = EventEmitter.EventListener<
  Map,
  Name
>;

/** An emitter of events, each with the arguments of its listeners: a listener that throws is reported, and hurts nobody. */
export class Events<Map extends object> extends EventEmitter<Map> {
  /** By listener, so that it can be taken off again. */
  readonly #guards = new WeakMap<object, unknown>();

  override on<Name extends EventEmitter.EventNames<Map>>(
    event: Name,
    listener: Listener<Map, Name>,
    context?: unknown,
  ): this {
    return super.on(event, this.#guard(listener), context);
  }

  /** The same as `on`. */
  override addListener<Name extends EventEmitter.EventNames<Map>>(
    event: Name,
    listener: Listener<Map, Name>,
    context?: unknown,
  ): this {
    return this.on(event, listener, context);
  }

  override once<Name extends EventEmitter.EventNames<Map>>(
    event: Name,
    listener: Listener<Map, Name>,
    context?: unknown,
  ): this {
    return super.once(event, this.#guard(listener), context);
  }

  override removeListener<Name extends EventEmitter.EventNames<Map>>(
    event: Name,
    listener?: Listener<Map, Name>,
    context?: unknown,
    once?: boolean,
  ): this {
    return super.removeListener(event, listener && this.#guard(listener), context, once);
  }

  /** Takes a listener off again. */
  override off<Name extends EventEmitter.EventNames<Map>>(
    event: Name,
    listener?: Listener<Map, Name>,
    context?: unknown,
    once?: boolean,
  ): this {
    return this.removeListener(event, listener, context, once);
  }

  #guard<Name extends EventEmitter.EventNames<Map>>(listener: Listener<Map, Name>): Listener<Map, Name> {
    const known = this.#guards.get(listener) as Listener<Map, Name> | undefined; // put there below
    if (known !== undefined) return known;
    const call = listener as (...args: unknown[]) => unknown;
    function guard(this: unknown, ...args: unknown[]): void {
      guarded('a listener', () => call.apply(this, args));
    }
    this.#guards.set(listener, guard);
    this.#guards.set(guard, guard); // the emitter takes what was listened to once off by it
    return guard as Listener<Map, Name>; // takes whatever the listener takes
  }
}

/** Calls a function of the user's. What it throws, now or later, becomes a warning with the code `LISTENER_FAILED`. */
export function guarded(what: string, call: () => unknown): void {
  const report = (error: unknown) => warnOfFailure(what, 'LISTENER_FAILED', error);
  try {
    const result = call();
    // Whatever is like a promise, of this realm or another.
    if (isThenable(result)) Promise.resolve(result).catch(report);
  } catch (error) {
    report(error);
  }
}
