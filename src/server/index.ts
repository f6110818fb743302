/**
 * `troupe/server`: the OpenAI-compatible server of `troupe serve`, to be started by a program.
 *
 * Public: what this file exports.
 */
import '../../runtime/require-node.ts';

export { type ServeOptions, serve, type TroupeServer } from './serve.ts';
export type { ServerOptions } from './server-schema.ts';
