import workerpool from 'workerpool';
import type { Message } from './channel.ts';

workerpool.worker({ echo: (message: Message): Message => message });
