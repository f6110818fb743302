/**
 * Messages whose payload is small JSON (`small-json.ts`), as text: what the sending of many small messages is made of.
 *
 *     [0,"method",bytes,payload]      tell        [3,bytes,value]    chunk
 *     [1,"method",bytes,id,payload]   ask         [4,value]          end
 *     [2,id,value]                    reply       [5]                credit
 *     [6,"traceparent",message]       a tell or an ask in a trace
 *
 * A payload that is `undefined` is left out.
 */
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

function ending({ text }: SmallJson): string {
  return text === '' ? ']' : `,${text}]`;
}

export function tellText(method: string, bytes: number, payload: SmallJson): string {
  return `[${TELL},${quote(method)},${bytes}${ending(payload)}`;
}

export function askText(method: string, bytes: number, id: number, payload: SmallJson): string {
  return `[${ASK},${quote(method)},${bytes},${id}${ending(payload)}`;
}

export function replyText(id: number, value: SmallJson): string {
  return `[${REPLY},${id}${ending(value)}`;
}

export function chunkText(value: SmallJson): string {
  return `[${CHUNK},${value.bytes}${ending(value)}`;
}

export function endText(value: SmallJson): string {
  return `[${END}${ending(value)}`;
}

/** @param message text of a `tell` or an `ask` */
export function tracedText(traceparent: string, message: string): string {
  return `[${TRACED},"${traceparent}",${message}]`;
}

export const CREDIT_TEXT = `[${CREDIT}]`;

/** The message that one parsed list stands for. */
export function messageOf(row: readonly unknown[]): WireMessage {
  // Written by the functions above, on another thread: the types are those of their parameters.
  switch (row[0]) {
    case TELL:
      return { t: 'tell', method: row[1] as string, bytes: row[2] as number, payload: row[3] };
    case ASK:
      return {
        t: 'ask',
        method: row[1] as string,
        bytes: row[2] as number,
        id: row[3] as number,
        payload: row[4],
      };
    case REPLY:
      return { t: 'reply', id: row[1] as number, value: row[2] };
    case CHUNK:
      return { t: 'chunk', bytes: row[1] as number, value: row[2] };
    case END:
      return { t: 'end', value: row[1] };
    case CREDIT:
      return { t: 'credit' };
    case TRACED: {
      const message = messageOf(row[2] as readonly unknown[]);
      return message.t === 'tell' || message.t === 'ask'
        ? { ...message, traceparent: row[1] as string }
        : message;
    }
    default:
      throw new ActorError(`a message of no known kind: ${String(row[0])}`, { code: 'PROTOCOL_VIOLATION' });
  }
}
