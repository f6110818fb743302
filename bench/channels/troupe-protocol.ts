import { ask, blueprint, protocol } from '../../runtime/index.ts';
import type { Message } from './channel.ts';

export const echoProtocol = protocol('echo', { echo: ask<Message, Message>() });

export const echo = blueprint<typeof echoProtocol, undefined>(
  echoProtocol,
  import.meta.url,
  './troupe-actor',
);
