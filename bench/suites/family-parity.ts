/**
 * Tokens of every model family that transformers.js reads, on the tiny exported models of the tests, both given the same
 * token ids and pixels. Random weights are near to nothing learned, so a wrong position, mask or merge shows at once.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeModel, encodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import { Troupe } from '../../src/index.ts';
import {
  difference,
  type FamilyGolden,
  goldensOf,
  messagesOf,
  moreGoldensOf,
} from '../../test/families/support/family-goldens.ts';
import { writePublished } from '../../test/support/published-model.ts';
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
  /** Another name of an input of the vision graph, where it looks for that. */
  readonly renamed?: readonly [from: string, to: string];
  /** transformers.js 4.3 puts the tokens of an answer without images to wrong places: only prompts with images are compared. */
  readonly imagesOnly?: boolean;
  /** It looks for the decoder's sizes at the top of config.json, where older files have them. */
  readonly flat?: boolean;
}

const COMPARED: readonly Compared[] = [
  { family: 'llava' },
  { family: 'idefics3' },
  { family: 'qwen2_vl', renamed: ['image_grid_thw', 'grid_thw'], imagesOnly: true, flat: true },
  { family: 'qwen2_5_vl', imagesOnly: true, flat: true },
  { family: 'qwen3_vl', published: true, imagesOnly: true },
  { family: 'gemma3', published: true },
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
  { family, imagesOnly = false }: Compared,
  folder: string,
  most: number | undefined,
): Promise<Claim> {
  const all = [...goldensOf(family), ...moreGoldensOf(family)];
  const goldens = all.filter((golden) => !imagesOnly || golden.images.length > 0).slice(0, most);
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
async function modelFolder({ family, published, renamed, flat = false }: Compared): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `troupe-${family}-`));
  await cp(new URL(family, FAMILIES), folder, { recursive: true });
  if (published) await writePublished(family, folder);
  if (renamed !== undefined) await renameInput(join(folder, 'onnx/vision_encoder.onnx'), renamed);
  if (flat) {
    const file = join(folder, 'config.json');
    const config = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ ...config.text_config, ...config }));
  }
  await writeFile(join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: 99_999 }));
  return folder;
}

async function renameInput(path: string, [from, to]: readonly [from: string, to: string]): Promise<void> {
  const model = decodeModel(await readFile(path));
  for (const input of model.graph?.input ?? []) if (input.name === from) input.name = to;
  for (const node of model.graph?.node ?? []) {
    node.input = (node.input ?? []).map((name) => (name === from ? to : name));
  }
  await writeFile(path, encodeModel(model));
}
