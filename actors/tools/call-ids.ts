/** Ids of calls, in the form that a model's template takes. */
import { createHash, randomBytes } from 'node:crypto';
import type { ToolStyle } from './tool-style.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
/** Mistral's templates refuse all others. */
const SHORT = /^[a-zA-Z0-9]{9}$/;

/** `call_` and 24 letters and digits, or nine of them. */
export function newCallId(style: ToolStyle): string {
  return takesShortIds(style) ? letters(9) : `call_${letters(24)}`;
}

/** What a client calls a call, in that form: it may have ids from elsewhere. The same id gives the same. */
export function knownCallId(style: ToolStyle, id: string): string {
  if (!takesShortIds(style) || SHORT.test(id)) return id;
  return createHash('sha256').update(id).digest('hex').slice(0, 9);
}

function takesShortIds(style: ToolStyle): boolean {
  return style === 'mistral' || style === 'mistral-args';
}

function letters(count: number): string {
  return Array.from(randomBytes(count), (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join('');
}
