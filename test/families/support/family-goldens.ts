/**
 * Golden answers of the tiny models of test/fixtures/families: what transformers' greedy decoding says of pictures and
 * questions, token for token. `golden.json` came with the checkpoints, `golden-more.json` is made by
 * models/export/make_golden.py from other pictures and prompts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { ChatMessage } from '../../../actors/generation.ts';

export const FAMILIES = fileURLToPath(new URL('../../fixtures/families/', import.meta.url));

const partSchema = z.union([
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('image') }),
]);
const goldenSchema = z
  .object({
    case: z.string(),
    images: z.array(z.string()),
    question: z.string().optional(),
    parts: z.array(partSchema).optional(),
    input_ids: z.array(z.number()),
    greedy: z.array(z.number()),
    smallest_gap: z.number(),
  })
  .transform(({ case: name, input_ids: promptIds, smallest_gap: smallestGap, ...rest }) => ({
    ...rest,
    name,
    promptIds,
    smallestGap,
  }));
export type FamilyGolden = z.infer<typeof goldenSchema>;

/** Two tokens this near to each other may change places in another order of additions. */
const NEAR = 0.002;

function read(family: string, file: string): FamilyGolden[] {
  const text = readFileSync(join(FAMILIES, family, file), 'utf8');
  return parseGoldens(JSON.parse(text));
}

export function parseGoldens(cases: unknown): FamilyGolden[] {
  return z.array(goldenSchema).parse(cases);
}

export const goldensOf = (family: string): FamilyGolden[] => read(family, 'golden.json');
export const moreGoldensOf = (family: string): FamilyGolden[] => read(family, 'golden-more.json');

export function messagesOf({ images, parts, question = '' }: FamilyGolden): ChatMessage[] {
  const paths = images.map((name) => {
    const beside = join(FAMILIES, name);
    return existsSync(beside) ? beside : join(FAMILIES, '..', 'family-pictures', name);
  });
  const content = (
    parts ?? [...paths.map(() => ({ type: 'image' as const })), { type: 'text' as const, text: question }]
  ).map((part) => (part.type === 'text' ? part : { type: 'image' as const, image: paths.shift() ?? '' }));
  return [{ role: 'user', content }];
}

const endsSchema = z.object({ eos_token_id: z.union([z.number(), z.array(z.number())]).nullish() });

export interface FamilyModelFolder {
  readonly path: string;
  /** Tokens that end an answer in the checkpoint's words: the goldens hold them back, and the folder names none of them. */
  readonly heldBack: readonly number[];
}

/** The fixture with another end of sequence: its own is an ordinary token, which the goldens hold back. */
export async function familyModel(
  family: string,
  change: Record<string, unknown> = {},
): Promise<FamilyModelFolder> {
  const path = await mkdtemp(join(tmpdir(), `troupe-${family}-`));
  await cp(join(FAMILIES, family), path, { recursive: true });
  return { path, heldBack: await holdBack(path, change) };
}

/** Puts another end of sequence into a model directory. @returns its own */
export async function holdBack(path: string, change: Record<string, unknown> = {}): Promise<number[]> {
  const own = endsSchema.parse(JSON.parse(readFileSync(join(path, 'generation_config.json'), 'utf8')));
  await writeFile(join(path, 'generation_config.json'), JSON.stringify({ eos_token_id: NEVER, ...change }));
  return [own.eos_token_id ?? []].flat();
}

/** In no vocabulary. */
const NEVER = 99_999;

/**
 * What differs: undefined when an answer is the golden one, up to a step where two tokens are nearly as likely, or where
 * the likeliest would have ended it.
 */
export function difference(
  { name, greedy, smallestGap }: FamilyGolden,
  tokenIds: readonly number[],
  heldBack: readonly number[],
): string | undefined {
  const at = greedy.findIndex((token, i) => token !== tokenIds[i]);
  if (at === -1 || smallestGap < NEAR || heldBack.includes(tokenIds[at] ?? -1)) return undefined;
  return `${name}: token ${at} is ${tokenIds[at]}, not ${greedy[at]}`;
}
