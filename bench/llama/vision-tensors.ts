/**
 * The vision tower of an exported Idefics3 as llama.cpp's projector file holds it (`tools/mtmd/clip-impl.h`, graph in
 * `models/siglip.cpp`), in 32 bits, for its projector `lfm2`: the same tower, shuffle and place in the prompt as Idefics3's with one
 * tile, where llama.cpp's own `idefics3` always adds a second tile. It projects by two products with a GELU between, ours by one.
 */
import { bytesOf, GGUF_TYPE, ggufRows } from './gguf-blocks.ts';
import type { GgufTensor } from './gguf-types.ts';
import type { OnnxWeights } from './onnx-weights.ts';
import type { VisionConfig } from './vision-config.ts';

const MODEL = 'model.vision_model';
const PROJECTION = 'model.connector.modality_projection.proj.weight';

const CHANNELS = 3;

/**
 * A power of two, so that multiplying by it is exact. llama.cpp's GELU gives back what is above 10 and 0 for what is below -10.
 */
const STEEP = 2 ** 20;

export class VisionTensors {
  readonly #config: VisionConfig;
  readonly #weights: OnnxWeights;

  constructor(config: VisionConfig, weights: OnnxWeights) {
    this.#config = config;
    this.#weights = weights;
  }

  all(): GgufTensor[] {
    const { hidden_size: width, patch_size: patch, image_size: side, num_hidden_layers } = this.#config.tower;
    const embeddings = `${MODEL}.embeddings.patch_embedding`;
    return [
      this.#floats('v.patch_embd.weight', [patch, patch, CHANNELS, width], `${embeddings}.weight`),
      this.#floats('v.patch_embd.bias', [width], `${embeddings}.bias`),
      this.#floats('v.position_embd.weight', [width, (side / patch) ** 2], 'positions'),
      ...Array.from({ length: num_hidden_layers }, (_, layer) => this.#layer(layer)).flat(),
      this.#floats('v.post_ln.weight', [width], `${MODEL}.post_layernorm.weight`),
      this.#floats('v.post_ln.bias', [width], `${MODEL}.post_layernorm.bias`),
      ...this.#projection(),
    ];
  }

  #layer(layer: number): GgufTensor[] {
    const { hidden_size: width, intermediate_size: mlp } = this.#config.tower;
    const [at, from] = [`v.blk.${layer}`, `${MODEL}.encoder.layers.${layer}`];
    const biased = (name: string, source: string, dims: readonly [inputs: number, outputs: number]) => [
      this.#matrix(`${at}.${name}.weight`, dims, `${from}.${source}.weight`),
      this.#floats(`${at}.${name}.bias`, [dims[1]], `${from}.${source}.bias`),
    ];
    const norm = (name: string, source: string) =>
      ['weight', 'bias'].map((part) =>
        this.#floats(`${at}.${name}.${part}`, [width], `${from}.${source}.${part}`),
      );
    return [
      ...norm('ln1', 'layer_norm1'),
      ...norm('ln2', 'layer_norm2'),
      ...['q', 'k', 'v'].flatMap((part, index) => [
        this.#matrix(`${at}.attn_${part}.weight`, [width, width], `${from}.self_attn.${part}_proj.weight`),
        this.#bias(`${at}.attn_${part}.bias`, `v${layer}_qkv_bias`, index * width),
      ]),
      ...biased('attn_out', 'self_attn.out_proj', [width, width]),
      ...biased('ffn_up', 'mlp.fc1', [width, mlp]),
      ...biased('ffn_down', 'mlp.fc2', [mlp, width]),
    ];
  }

  /** x·W as GELU(s·x·W) and GELU(-s·x·W), the second taken from the first and divided by s. */
  #projection(): GgufTensor[] {
    const { tower, scale, textWidth } = this.#config;
    const inputs = tower.hidden_size * scale ** 2;
    const zeros = (name: string, length: number) =>
      floats(name, [length], async () => new Float32Array(length));
    const rows = async () => {
      const all = new Float32Array(2 * inputs * textWidth);
      const matrix = await this.#weights.matrix(PROJECTION);
      const once = ggufRows(matrix, inputs, textWidth);
      const values = new Float32Array(once.buffer, once.byteOffset, inputs * textWidth);
      for (const [index, value] of values.entries()) {
        all[index] = STEEP * value;
        all[values.length + index] = -STEEP * value;
      }
      return all;
    };
    const difference = async () => {
      const all = new Float32Array(2 * textWidth * textWidth);
      for (let row = 0; row < textWidth; row++) {
        all[2 * textWidth * row + row] = 1 / STEEP;
        all[2 * textWidth * row + textWidth + row] = -1 / STEEP;
      }
      return all;
    };
    return [
      floats('mm.1.weight', [inputs, 2 * textWidth], rows),
      zeros('mm.1.bias', 2 * textWidth),
      floats('mm.2.weight', [2 * textWidth, textWidth], difference),
      zeros('mm.2.bias', textWidth),
    ];
  }

  #floats(name: string, dims: readonly number[], from: string): GgufTensor {
    const found = this.#weights.find(from, `${from}_f16`) ?? from;
    return floats(name, dims, () => this.#weights.floats(found));
  }

  /** A part of the biases of queries, keys and values, which lie behind each other. */
  #bias(name: string, from: string, start: number): GgufTensor {
    const { hidden_size: width } = this.#config.tower;
    return floats(name, [width], async () => (await this.#weights.floats(from)).slice(start, start + width));
  }

  #matrix(name: string, dims: readonly [inputs: number, outputs: number], from: string): GgufTensor {
    const make = async () => ggufRows(await this.#weights.matrix(from), ...dims);
    return { name, dims, type: GGUF_TYPE.f32, make };
  }
}

function floats(name: string, dims: readonly number[], read: () => Promise<Float32Array>): GgufTensor {
  return { name, dims, type: GGUF_TYPE.f32, make: async () => bytesOf(await read()) };
}
