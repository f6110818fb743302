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
