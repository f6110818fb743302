/**
 * Messages whose payload is small JSON (`small-json.ts`), as text: what the sending of many small messages is made of. Many of
 * them are one list, in which each takes as many items as its first one, a number for its kind, says. A list for each
 * message would take longer to read, and leave twice as much to the garbage collector.
 *
 *     0,"method",bytes,payload      tell        3,bytes,value    chunk
 *     1,"method",bytes,id,payload   ask         4,value          end
 *     2,id,value                    reply       13               credit
 *     6,"traceparent"               the tell or the ask that follows belongs to this trace
 *     7,"high"                      and has this priority, which is not `normal`
 *
 * The payload is the last item. Where it is `undefined` it is left out, and 8 is added to the kind.
 */
import type { Priority } from '../channel/priority.ts';
import { ActorError } from '../errors.ts';
import type { WireMessage } from './messages.ts';
import type { SmallJson } from './small-json.ts';

const TELL = 0;
const ASK = 1;
const REPLY = 2;
const CHUNK = 3;
const END = 4;
const CREDIT = 5;
const TRACED = 6;
const PRIORITY = 7;
/** Added to the kind of a message without a payload. */
const BARE = 8;

/** Items of a message of each kind, its payload not counted. */
const ITEMS: readonly number[] = [3, 4, 2, 2, 1, 1, 1, 1];

/** Methods are few, and quoting one costs as much as the rest of a small message. */
const quoted = new Map<string, string>();
const MOST_QUOTED = 1_000;

function quote(method: string): string {
  const known = quoted.get(method);
  if (known !== undefined) return known;
  const text = JSON.stringify(method);
  if (quoted.size < MOST_QUOTED) quoted.set(method, text);
  return text;
}

export function tellText(method: string, bytes: number, { text }: SmallJson): string {
  const name = quote(method);
  return text === '' ? `${TELL + BARE},${name},${bytes}` : `${TELL},${name},${bytes},${text}`;
}

export function askText(method: string, bytes: number, id: number, { text }: SmallJson): string {
  const name = quote(method);
  return text === '' ? `${ASK + BARE},${name},${bytes},${id}` : `${ASK},${name},${bytes},${id},${text}`;
}

export function replyText(id: number, { text }: SmallJson): string {
  return text === '' ? `${REPLY + BARE},${id}` : `${REPLY},${id},${text}`;
}

export function chunkText({ text, bytes }: SmallJson): string {
  return text === '' ? `${CHUNK + BARE},${bytes}` : `${CHUNK},${bytes},${text}`;
}

export function endText({ text }: SmallJson): string {
  return text === '' ? `${END + BARE}` : `${END},${text}`;
}

/** @param message text of a `tell` or an `ask` */
export function tracedText(traceparent: string, message: string): string {
  return `${TRACED},"${traceparent}",${message}`;
}

/** @param message text of a `tell` or an `ask` */
export function priorityText(priority: Priority, message: string): string {
  return `${PRIORITY},"${priority}",${message}`;
}

export const CREDIT_TEXT = `${CREDIT + BARE}`;

/** Texts that were joined by commas, as `TextReader` takes them. */
export function listOf(texts: string): string {
  return `[${texts}]`;
}

/** Reads a list of messages, one after the other. */
export class TextReader {
  readonly #items: readonly unknown[];
  #at = 0;

  constructor(list: string) {
    this.#items = JSON.parse(list);
  }

  /** Undefined: that was all. */
  next(traceparent?: string, priority?: Priority): WireMessage | undefined {
    const [items, at] = [this.#items, this.#at];
    if (at >= items.length) return undefined;
    // Written by the functions above, on another thread: the types are those of their parameters.
    const kind = items[at] as number;
    const plainKind = kind & ~BARE;
    const end = at + (ITEMS[plainKind] ?? 1);
    const payload = kind === plainKind ? items[end] : undefined;
    this.#at = kind === plainKind ? end + 1 : end;
    switch (plainKind) {
      case TELL: {
        const [method, bytes] = [items[at + 1] as string, items[at + 2] as number];
        return { t: 'tell', method, bytes, payload, traceparent, priority };
      }
      case ASK: {
        const [method, bytes] = [items[at + 1] as string, items[at + 2] as number];
        return { t: 'ask', method, bytes, id: items[at + 3] as number, payload, traceparent, priority };
      }
      case REPLY:
        return { t: 'reply', id: items[at + 1] as number, value: payload };
      case CHUNK:
        return { t: 'chunk', bytes: items[at + 1] as number, value: payload };
      case END:
        return { t: 'end', value: payload };
      case CREDIT:
        return { t: 'credit' };
      case TRACED:
        return this.next(payload as string, priority);
      case PRIORITY:
        return this.next(traceparent, payload as Priority);
      default:
        throw new ActorError(`a message of no known kind: ${kind}`, { code: 'PROTOCOL_VIOLATION' });
    }
  }
}
