/** The libraries that the channel is compared with, in one file that is loaded when they are. */
export { openComlink } from './comlink.ts';
export { openEffect } from './effect.ts';
export { openPiscina } from './piscina.ts';
export { openPoolifier } from './poolifier.ts';
export { openThreadsJs } from './threads-js.ts';
export { openTinypool } from './tinypool.ts';
export { openWorkerpool } from './workerpool.ts';
