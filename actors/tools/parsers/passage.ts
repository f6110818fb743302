/** A passage of an answer that may be one call or several, read one character at a time. */
export type PassageState =
  /** It goes on. */
  | 'reading'
  /** The character was its last. */
  | 'done'
  /** It had ended before this character. */
  | 'over'
  /** It is no call; nothing of it was given to the sink, unless calls before it. */
  | 'failed';

export interface Passage {
  feed(character: string): PassageState;
}
