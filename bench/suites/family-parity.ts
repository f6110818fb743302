/**
 * Tokens of every model family that transformers.js reads, on the tiny exported models of the tests, both given the same
 * token ids and pixels. Random weights are near to nothing learned, so a wrong position, mask or merge shows at once.
 */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Troupe } from '../../src/index.ts';
import {
  difference,
  type FamilyGolden,
  goldensOf,
  messagesOf,
  moreGoldensOf,
} from '../../test/families/support/family-goldens.ts';
import { AskedChild } from '../asked-child.ts';
import { FamilyPrompts } from '../family-prompts.ts';
import type { ModelAnswer, ModelTask } from '../peers/model-task.ts';
import type { Claim, Suite } from '../suite.ts';

const SCRIPT = new URL('../peers/model-child.ts', import.meta.url);
const FAMILIES = new URL('../../test/fixtures/families/', import.meta.url);

interface Compared {
  readonly family: string;
  /** Graphs as exports for transformers.js have them: it does not feed what the exporter's own ask for. */
  readonly published?: boolean;
  /** Whether it merges embeddings of images as the reference does; else prompts without images are compared. */
  readonly images: boolean;
}

const COMPARED: readonly Compared[] = [
  { family: 'llava', images: true },
  { family: 'idefics3', images: true },
  { family: 'qwen2_vl', images: true },
  { family: 'qwen2_5_vl', images: true },
  { family: 'qwen3_vl', published: true, images: true },
  { family: 'gemma3', published: true, images: true },
];

export const familyParitySuite: Suite = {
  name: 'family-parity',
  description:
    'greedy tokens of tiny models of each family, against transformers.js on the same ids and pixels',
  shows: 'identical on 39 prompts of each family; the run fails (exit code 1) when one differs',
  async run({ quick }) {
    const claims: Claim[] = [];
    for (const compared of COMPARED) {
      const folder = await modelFolder(compared);
      try {
        claims.push(await compare(compared, folder, quick ? 8 : undefined));
      } finally {
        await rm(folder, { recursive: true });
      }
    }
    return { claims };
  },
};

async function compare(
  { family, images }: Compared,
  folder: string,
  most: number | undefined,
): Promise<Claim> {
  const all = [...goldensOf(family), ...moreGoldensOf(family)];
  const goldens = all.filter((golden) => images || golden.images.length === 0).slice(0, most);
  const prompts = await FamilyPrompts.for(folder);
  const peer = await AskedChild.start<ModelTask, ModelAnswer>('transformers.js', SCRIPT, [folder]);
  let differing = 0;
  try {
    await using engine = await Troupe.start({ model: folder });
    for (const golden of goldens) {
      const task = await prompts.taskOf(messagesOf(golden), golden.greedy.length);
      const answer = await peer.ask(task);
      if ('error' in answer) throw new Error(`${family}, ${golden.name}: ${answer.error}`);
      const { tokenIds } = await engine.chat({
        messages: messagesOf(golden),
        maxTokens: golden.greedy.length,
        temperature: 0,
      });
      const theirs: FamilyGolden = { ...golden, greedy: [...answer.tokenIds] };
      const different = difference(theirs, tokenIds, []);
      if (different === undefined) continue;
      differing += 1;
      process.stderr.write(`${family}: ${different}\n`);
    }
  } finally {
    await peer.stop();
  }
  return {
    text: `Answers of ${goldens.length} that differ from transformers.js, ${family}`,
    measured: differing,
    unit: '',
    goal: { atMost: 0 },
    required: true,
  };
}

/** A copy whose answers no token ends. */
async function modelFolder({ family, published }: Compared): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `troupe-${family}-`));
  await cp(new URL(family, FAMILIES), folder, { recursive: true });
  if (published) await cp(new URL(`published/${family}`, FAMILIES), folder, { recursive: true });
  await writeFile(join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: 99_999 }));
  return folder;
}
