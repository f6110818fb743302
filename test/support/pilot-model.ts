/** A small model of the plain Concat kind whose golden answers come from PyTorch; see its card. */
import { fileURLToPath } from 'node:url';

export const PILOT_MODEL = fileURLToPath(new URL('../fixtures/pilot-model', import.meta.url));
