/** The same program on a worker thread, whose environment is a copy that native code does not see. */
import process from 'node:process';
import { Worker } from 'node:worker_threads';

new Worker(new URL('./five-chats.ts', import.meta.url), { argv: process.argv.slice(2), env: {} });
