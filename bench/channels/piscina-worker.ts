import type { Message } from './channel.ts';

export default (message: Message): Message => message;
