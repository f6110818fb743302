/** Prints an answer as it is made. */
import type { ChatResult, ChatStream } from '../chat-types.ts';

export interface TextSink {
  write(text: string): Promise<void>;
}

/** @param onFirstText called once, before the first text is printed */
export async function printStream(
  stream: ChatStream,
  output: TextSink,
  onFirstText: () => void,
): Promise<ChatResult> {
  let started = false;
  for await (const delta of stream) {
    // A model that was trained on "Assistant: answer" begins with the space.
    const text = started ? delta.text : delta.text.trimStart();
    if (text === '') continue;
    if (!started) onFirstText();
    started = true;
    await output.write(text);
  }
  await output.write('\n');
  return await stream.result;
}
