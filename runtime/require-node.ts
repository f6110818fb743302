/**
 * Imported first by every entry point, to fail before anything else does: an older Node would fail in the middle of
 * something, with a message that names neither cause nor cure.
 */
import { nodeTooOld } from './node-version.ts';

const tooOld = nodeTooOld();
if (tooOld !== undefined) throw tooOld;
