/**
 * The frames of one answer, numbered, and kept until the gateway has the last: what is lost on the way is sent again. They
 * are the answer itself, so they are as large as an answer may be.
 */
import type { Failure } from '../wire/messages.ts';
import type { Outbox } from './outbox.ts';

/** A frame with more is sent in parts. UTF-16 units, of which JSON's text has at most three bytes each. */
const PART_CHARACTERS = 64 * 1024;

type Said =
  | { readonly k: 'd'; readonly v: object }
  | { readonly k: 'e'; readonly v: object }
  | { readonly k: 'x'; readonly v: Failure };

export class FrameLog {
  readonly attempt: string;
  readonly gateway: string;
  readonly #outbox: Outbox;
  readonly #frames: string[] = [];
  /** When something was last sent, on the clock of `beat`. */
  #sentSinceBeat = false;

  constructor(attempt: string, gateway: string, outbox: Outbox) {
    this.attempt = attempt;
    this.gateway = gateway;
    this.#outbox = outbox;
  }

  say({ k, v }: Said): void {
    const json = JSON.stringify(v);
    if (json.length <= PART_CHARACTERS) {
      this.#add(`"k":"${k}","v":${json}`);
      return;
    }
    const whole = JSON.stringify({ k, v });
    for (let at = 0; at < whole.length; at += PART_CHARACTERS) {
      this.#add(`"k":"p","v":${JSON.stringify(whole.slice(at, at + PART_CHARACTERS))}`);
    }
    this.#add('"k":"j"');
  }

  /** Says that it is still being worked on, and how far it is, unless something was said since the last call. */
  beat(): void {
    if (!this.#sentSinceBeat) this.#outbox.push(this.gateway, this.#frame(this.#frames.length, '"k":"b"'));
    this.#sentSinceBeat = false;
  }

  /** Again from this one on. */
  resend(from: number): void {
    for (const frame of this.#frames.slice(from)) this.#outbox.push(this.gateway, frame);
    if (from >= this.#frames.length) this.#sentSinceBeat = false;
  }

  #add(rest: string): void {
    const frame = this.#frame(this.#frames.length, rest);
    this.#frames.push(frame);
    this.#sentSinceBeat = true;
    this.#outbox.push(this.gateway, frame);
  }

  #frame(number: number, rest: string): string {
    return `{"a":"${this.attempt}","s":${number},${rest}}`;
  }
}
