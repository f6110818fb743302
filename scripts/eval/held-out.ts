/**
 * The held-out test sets in `models/eval/`, drawn by `models/recipe/make_eval.py`:
 *
 *     images.bin      WebP pictures, one after another
 *     images.json.gz  how many bytes each of them takes
 *     SKILL.json.gz   the items: conversations about no, one or two of the pictures, with the right answers
 */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { z } from 'zod';

const FOLDER = new URL('../../models/eval/', import.meta.url);

export const SKILLS = [
  'description',
  'scene',
  'reading',
  'chart',
  'line-pie',
  'compare',
  'refusal',
  'turns',
  'receipt',
  'receipt-total',
  'receipt-json',
  'document',
  'no-picture',
  'known-wording',
  'unseen-wording',
  'json-asked',
] as const;

export type Skill = (typeof SKILLS)[number];

const itemsSchema = z.array(
  z.strictObject({
    images: z.array(z.number().int().min(0)),
    system: z.string().optional(),
    turns: z.array(z.strictObject({ question: z.string(), expected: z.string() })).min(1),
  }),
);

export interface Turn {
  readonly question: string;
  readonly expected: string;
}

export interface Item {
  /** Encoded pictures, in the order in which the first question shows them. */
  readonly images: readonly Uint8Array<ArrayBuffer>[];
  /** The item's own system message, in place of the layout's. */
  readonly system?: string | undefined;
  readonly turns: readonly Turn[];
}

/** @param limit items of each skill at most */
export async function readHeldOut(
  skills: readonly Skill[],
  limit = Number.POSITIVE_INFINITY,
): Promise<ReadonlyMap<Skill, readonly Item[]>> {
  const pictures = await readPictures();
  const sets = await Promise.all(
    skills.map(async (skill) => {
      const items = itemsSchema.parse(await readJson(`${skill}.json.gz`)).slice(0, limit);
      return [skill, items.map((item) => ({ ...item, images: item.images.map(pictures) }))] as const;
    }),
  );
  return new Map(sets);
}

async function readPictures(): Promise<(index: number) => Uint8Array<ArrayBuffer>> {
  const bytes = await readFile(new URL('images.bin', FOLDER));
  const lengths = z.array(z.number().int().min(1)).parse(await readJson('images.json.gz'));
  let end = 0;
  const pictures = lengths.map((length) => {
    end += length;
    return bytes.subarray(end - length, end);
  });
  if (end !== bytes.length)
    throw new Error(`images.json.gz tells of ${end} bytes, images.bin has ${bytes.length}`);
  return (index) => {
    const picture = pictures[index];
    if (picture === undefined) throw new RangeError(`images.bin has no picture ${index}`);
    return picture;
  };
}

async function readJson(name: string): Promise<unknown> {
  const packed = await readFile(new URL(name, FOLDER));
  return JSON.parse((await promisify(gunzip)(packed)).toString('utf8'));
}
