import { type MessagePort, workerData } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { Message } from './channel.ts';

const api = { echo: (message: Message) => message };
export type ComlinkEcho = typeof api;

const port: MessagePort = workerData;
expose(api, nodeEndpoint(port));
