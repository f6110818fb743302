/**
 * What a request has in common with others, as short keys: one for each image, and one for each beginning of its
 * conversation. A node that has answered a request with the same key has the image's embedding, or the keys and values of
 * that beginning. They say where to send a request, and nothing else: a wrong one costs time alone.
 */
import { createHash } from 'node:crypto';
import type { ChatRequest } from '../../actors/generation.ts';
import { MOST_KEYS_ASKED } from './wire/messages.ts';

/** What a request would find done where its key is held, in tokens. */
export interface WorkKey {
  readonly key: string;
  readonly tokens: number;
}

const DIGEST_CHARACTERS = 16;
/** Of an image, at its ends and between: hashing all of a large one would hold up everybody. */
const SAMPLE_BYTES = 4_096;
const SAMPLES = 16;

/** English text; only the proportion to images matters. */
const CHARACTERS_PER_TOKEN = 4;
/** Encoding an image and running its tokens costs about as much as so many tokens of text. */
const IMAGE_TOKENS = 512;
/** A beginning with less is not worth a way. */
const LEAST_TOKENS = 16;

/** @param images in order of the conversation */
export function requestKeys(
  model: string,
  messages: ChatRequest<number>['messages'],
  images: readonly Uint8Array[],
): WorkKey[] {
  const digests = images.map((image) => `i${imageDigest(image)}`);
  const keys = new Map<string, number>(digests.map((key) => [key, IMAGE_TOKENS]));
  let tokens = 0;
  let digest = model;
  for (const message of messages) {
    const { role, content } = message;
    const calls = message.role === 'assistant' ? message.toolCalls : undefined;
    const parts = typeof content === 'string' ? [content] : content;
    const texts = parts.map((part) => {
      if (typeof part === 'string') return part;
      return part.type === 'image' ? (digests[part.image] ?? '') : part.text;
    });
    const added = texts.reduce((sum, text) => sum + text.length, 0) / CHARACTERS_PER_TOKEN;
    tokens += added;
    digest = short(
      createHash('sha256')
        .update(digest)
        .update(JSON.stringify([role, texts, calls])),
    );
    // Of this turn alone: those before it have keys of their own.
    if (tokens >= LEAST_TOKENS) keys.set(`p${digest}`, Math.ceil(added));
  }
  // The longest beginnings say most.
  return [...keys].slice(-MOST_KEYS_ASKED).map(([key, cost]) => ({ key, tokens: cost }));
}

/** Of a whole prompt, as keys count them: an estimate. */
export function promptTokensOf({ messages, prompt }: ChatRequest<number>, images: number): number {
  if (prompt !== undefined)
    return 'tokens' in prompt ? prompt.tokens.length : prompt.text.length / CHARACTERS_PER_TOKEN;
  let characters = 0;
  for (const { content } of messages) {
    const parts = typeof content === 'string' ? [content] : content;
    for (const part of parts) {
      if (typeof part === 'string') characters += part.length;
      else if (part.type === 'text') characters += part.text.length;
    }
  }
  return images * IMAGE_TOKENS + characters / CHARACTERS_PER_TOKEN;
}

function imageDigest(bytes: Uint8Array): string {
  const hash = createHash('sha256').update(String(bytes.length));
  if (bytes.length <= SAMPLES * SAMPLE_BYTES) return short(hash.update(bytes));
  const step = Math.floor((bytes.length - SAMPLE_BYTES) / (SAMPLES - 1));
  for (let i = 0; i < SAMPLES; i++) hash.update(bytes.subarray(i * step, i * step + SAMPLE_BYTES));
  return short(hash);
}

function short(hash: ReturnType<typeof createHash>): string {
  return hash.digest('base64url').slice(0, DIGEST_CHARACTERS);
}
