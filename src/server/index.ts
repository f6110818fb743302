/// <reference types="node" preserve="true" />
/**
 * `troupe/server`: the OpenAI-compatible server of `troupe serve`, to be started by a program.
 *
 * Public: what this file exports.
 */
export type { ServeOptions, TroupeServer } from './serve.ts';
export type { ServerOptions } from './server-schema.ts';
export { serve } from './start-server.ts';
