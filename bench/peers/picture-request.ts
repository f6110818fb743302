/** A question about a picture, as both sides of a comparison are asked it over HTTP, and what is read off the answer. */
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import * as z from 'zod';
import { linesOf } from './llama-server.ts';
import type { PeerRequest } from './peer-request.ts';

export interface PictureRequest {
  /** Of a streamed chat completion. */
  readonly body: string;
}

export interface PictureAnswer {
  readonly text: string;
  /** Milliseconds from the request. */
  readonly firstTokenMs: number;
}

const chunkSchema = z.looseObject({
  choices: z.array(z.looseObject({ delta: z.looseObject({ content: z.string().nullish() }) })),
});

/**
 * Greedy. One pixel of each picture is changed, so that nobody has seen it before.
 * @param request with one picture
 * @param seed of no other request
 */
export async function pictureRequest(
  { messages, maxTokens }: PeerRequest,
  seed: number,
): Promise<PictureRequest> {
  const asked = messages.map(async ({ role, content }) => ({
    role,
    content: await Promise.all(
      content.map(async (part) =>
        part.type === 'text'
          ? part
          : { type: 'image_url', image_url: { url: dataUrl(await changedPicture(part.image, seed)) } },
      ),
    ),
  }));
  const body = { messages: await Promise.all(asked), max_tokens: maxTokens, temperature: 0, stream: true };
  return { body: JSON.stringify(body) };
}

/** As PNG, with one pixel changed. @param seed of no other picture */
export async function changedPicture(path: string, seed: number): Promise<Buffer> {
  const { data, info } = await sharp(await readFile(path))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const pixel = (seed % width) * channels;
  for (let channel = 0; channel < channels; channel++) {
    data[pixel + channel] = (Math.floor(seed / width) >> (2 * channel)) & 255;
  }
  return await sharp(data, { raw: { width, height, channels } }).png().toBuffer();
}

function dataUrl(png: Buffer): string {
  return `data:image/png;base64,${png.toString('base64')}`;
}

export async function askAboutPicture(url: string, { body }: PictureRequest): Promise<PictureAnswer> {
  const since = performance.now();
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    // llama.cpp's server closes connections that were used for a while, also under the next request.
    headers: { 'content-type': 'application/json', connection: 'close' },
    body,
  });
  if (!response.ok || response.body === null) {
    throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  }
  let text = '';
  let firstTokenMs = Number.NaN;
  for await (const line of linesOf(response.body.pipeThrough(new TextDecoderStream()))) {
    if (!line.startsWith('data: {')) continue;
    const [choice] = chunkSchema.parse(JSON.parse(line.slice('data: '.length))).choices;
    const content = choice?.delta.content ?? '';
    if (text === '' && content !== '') firstTokenMs = performance.now() - since;
    text += content;
  }
  return { text, firstTokenMs };
}
