import { ThreadWorker } from 'poolifier';
import type { Message } from './channel.ts';

/** What comes back when no data came: never here. */
const NOTHING: Message = { id: 0, text: '' };

export default new ThreadWorker<Message, Message>((message) => message ?? NOTHING);
