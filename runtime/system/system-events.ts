/** What a system tells of its actors. */
import type { DeadLetter } from '../dead-letters.ts';

export interface SystemEvents {
  'actor:up': [{ readonly actor: string }];
  'actor:down': [{ readonly actor: string; readonly error: Error | undefined }];
  'actor:restarting': [{ readonly actor: string; readonly attempt: number; readonly pauseMs: number }];
  'actor:escalated': [{ readonly actor: string; readonly error: Error }];
  /** Its thread has not turned for too long, and is ended or left behind. `work`: the tag of what it computed, or 0. */
  'actor:hung': [{ readonly actor: string; readonly work: number }];
  'actor:quarantined': [{ readonly actor: string }];
  'dead-letter': [DeadLetter];
}
