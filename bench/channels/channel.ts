/** A way to ask a worker thread something and get the answer: what the channel suite compares. */
export interface Message {
  readonly id: number;
  readonly text: string;
}

export interface EchoChannel {
  readonly name: string;
  echo(message: Message): Promise<Message>;
  close(): Promise<unknown>;
}

/** The other ways to use a channel: without answers, with many, with memory that changes hands. */
export interface FlowChannel {
  readonly name: string;
  /** Sends so many messages that are not answered; resolves when the last was taken. */
  tell(message: Message, count: number): Promise<unknown>;
  /** Reads so many messages that are sent on demand. */
  read(count: number): Promise<unknown>;
  /** Hands a buffer over and gets it back. */
  move(buffer: ArrayBuffer): Promise<ArrayBuffer>;
  close(): Promise<unknown>;
}
