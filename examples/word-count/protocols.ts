/** The two actors of the word count: what each understands, and where its module is. */
import { type ActorRef, ask, blueprint, protocol, stream } from '../../runtime/index.ts'; // 'troupe/runtime' in your code

/** How often each word occurs. */
export type Counts = Readonly<Record<string, number>>;

export interface Progress {
  readonly paragraph: number;
  readonly words: number;
}

/** Counts the words of one paragraph. */
export const counterProtocol = protocol('counter', {
  count: ask<string, Counts>(),
});

/** Splits a text, has its paragraphs counted, reports progress, and ends with the whole. */
export const splitterProtocol = protocol('splitter', {
  countWords: stream<{ readonly text: string }, Progress, Counts>(),
});

export interface SplitterArgs {
  /** A ref is data: the splitter gets channels of its own to the counters and talks to them directly. */
  readonly counters: ActorRef<typeof counterProtocol>;
}

export const counter = blueprint<typeof counterProtocol, undefined>(
  counterProtocol,
  import.meta.url,
  './counter-actor',
);

export const splitter = blueprint<typeof splitterProtocol, SplitterArgs>(
  splitterProtocol,
  import.meta.url,
  './splitter-actor',
);
