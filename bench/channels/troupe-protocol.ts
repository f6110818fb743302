import { ask, blueprint, protocol, stream, tell } from '../../runtime/index.ts';
import type { Message } from './channel.ts';

export const echoProtocol = protocol('echo', {
  echo: ask<Message, Message>(),
  take: tell<Message>(),
  read: stream<number, Message, void>(),
  move: ask<ArrayBuffer, ArrayBuffer>(),
});

export const echo = blueprint<typeof echoProtocol, undefined>(
  echoProtocol,
  import.meta.url,
  './troupe-actor',
);
