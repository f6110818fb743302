import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { Message } from './channel.ts';

const api = { echo: (message: Message) => message };
export type ComlinkEcho = typeof api;

if (parentPort !== null) expose(api, nodeEndpoint(parentPort));
