/** Prompts of every kind whose greedy tokens on a GPU are compared. */
import { parityRequests } from '../parity-requests.ts';
import type { PeerRequest } from '../peers/peer-request.ts';

const PROMPTS = 200;
/** A software driver takes seconds for a picture. */
const QUICK_PROMPTS = 2;
const QUICK_TOKENS = 4;

export function gpuPrompts(quick: boolean): PeerRequest[] {
  if (!quick) return parityRequests().slice(0, PROMPTS);
  return parityRequests()
    .slice(0, QUICK_PROMPTS)
    .map((request) => ({ ...request, maxTokens: QUICK_TOKENS }));
}
