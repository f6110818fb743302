/// <reference types="node" preserve="true" />
/**
 * `troupe/server`: the OpenAI-compatible server of `troupe serve`, to be started by a program.
 *
 * Begin with {@link serve}, which takes {@link ServeOptions} and gives a {@link TroupeServer}.
 *
 * Public: what this file exports.
 *
 * @module troupe/server
 */
import '../../runtime/require-node.ts';

export type { ModelState } from '../models/model-slot.ts';
export type { ServedEngine } from '../served-engine.ts';
export type { ServedModelStatus } from './models/served-model.ts';
export type { ServeOptions, TroupeServer } from './serve.ts';
export type {
  HttpOptions,
  LogOptions,
  NatsOptions,
  QueueOptions,
  ServedModelOptions,
  ServerOptions,
} from './server-options.ts';
export { serve } from './start-server.ts';
