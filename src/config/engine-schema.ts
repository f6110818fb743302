/**
 * The options of an engine, as they are checked wherever they come from: a program, a configuration file, flags, the
 * environment. `meta` says how a setting is called on the command line; the rest follows from that.
 */
import { z } from 'zod';
import { DEVICES } from '../../actors/inference/gpu/device.ts';
import { DTYPES, type Dtype } from '../../actors/model/graph-files.ts';
import { PROMPT_PRODUCTS } from '../../actors/model/prompt-products.ts';
import {
  DEFAULT_DRAFT_TOKENS,
  MOST_DRAFT_TOKENS,
  SPECULATION,
} from '../../actors/pd/speculation/speculation-options.ts';
import { TOOL_STYLES } from '../../actors/tools/tool-style.ts';
import { MODES, type Mode } from '../chat-types.ts';
import { setting } from './setting.ts';
import { MAP_WEIGHTS, type MapWeights, WEIGHT_SHARING, type WeightSharing } from './weight-sharing.ts';

const device = z.enum(DEVICES);
const count = z.number().int().min(1).max(64);
const bytes = z.number().int().min(1);
const milliseconds = z.number().min(1);
/** Less has no room for one photograph. */
const MIN_MEMORY_BYTES = 256 * 1024 ** 2;
/** It is reserved as one piece of address space. */
const MAX_CACHE_BYTES = 8 * 1024 ** 3;

export const engineSchema = z.strictObject({
  model: setting(z.string().min(1).optional(), {
    flag: '--model <name>',
    help: 'model directory, or name of a model on the Hub (default: the embedded model)',
  }),
  mode: setting(z.enum(MODES as [Mode, ...Mode[]]).optional(), {
    flag: '--mode <mode>',
    help: `how the actors share the work: ${MODES.join(', ')} (default: ${MODES[0]})`,
  }),
  dtype: setting(z.enum(DTYPES as [Dtype, ...Dtype[]]).optional(), {
    flag: '--dtype <name>',
    help: `precision of the ONNX files to load: ${DTYPES.join(', ')} (default: the best that is there)`,
  }),
  promptTemplate: setting(z.string().min(1).max(65_536).optional(), {
    flag: '--prompt-template <text>',
    help: 'a template with <image> and <prompt> in the place of the model’s chat template',
  }),
  toolCallParser: setting(z.enum(TOOL_STYLES).optional(), {
    flag: '--tool-call-parser <name>',
    help: `how the model writes calls of tools: ${TOOL_STYLES.join(', ')} (default: as its chat template says)`,
  }),
  device: setting(device.optional(), {
    flag: '--device <name>',
    help: `where the model runs: ${DEVICES.join(', ')} (default: cpu)`,
  }),
  processor: z
    .strictObject({
      count: setting(count.optional(), {
        flag: '--processors <n>',
        help: 'actors that prepare text and images',
        kind: 'number',
      }),
    })
    .optional(),
  encoder: z
    .strictObject({
      count: setting(count.optional(), {
        flag: '--encoders <n>',
        help: 'encoder actors (disaggregated mode)',
        kind: 'number',
      }),
      threads: setting(count.optional(), {
        flag: '--encoder-threads <n>',
        help: 'inference threads of each encoder',
        kind: 'number',
      }),
      device: setting(device.optional(), {
        flag: '--encoder-device <name>',
        help: 'where the encoder runs (disaggregated mode; default: --device)',
      }),
    })
    .optional(),
  pd: z
    .strictObject({
      count: setting(count.optional(), {
        flag: '--pds <n>',
        help: 'actors of the language model',
        kind: 'number',
      }),
      threads: setting(count.optional(), {
        flag: '--pd-threads <n>',
        help: 'inference threads of each',
        kind: 'number',
      }),
      device: setting(device.optional(), {
        flag: '--pd-device <name>',
        help: 'where the language model runs, in aggregated mode the encoder too (default: --device)',
      }),
      maxRunning: setting(z.number().int().min(1).max(1024).optional(), {
        flag: '--max-running <n>',
        help: 'sequences decoded together by one actor (default: 64)',
        kind: 'number',
      }),
      maxWaiting: setting(z.number().int().min(1).max(65_536).optional(), {
        flag: '--max-waiting <n>',
        help: 'sequences waiting in one actor (default: 32)',
        kind: 'number',
      }),
      kvCacheBytes: setting(bytes.optional(), {
        flag: '--kv-cache-bytes <n>',
        help: 'memory for keys and values of each (default: a share of what is free)',
        kind: 'number',
      }),
      prefixCacheBytes: setting(z.number().int().min(0).optional(), {
        flag: '--prefix-cache-bytes <n>',
        help: 'memory for prompts that may come again, of each; 0 for none',
        kind: 'number',
      }),
      prefillTokensPerStep: setting(z.number().int().min(1).max(65_536).optional(), {
        flag: '--prefill-tokens-per-step <n>',
        help: 'prompt tokens between two decode steps (default: by what is measured)',
        kind: 'number',
      }),
      promptProducts: setting(z.enum(PROMPT_PRODUCTS).optional(), {
        flag: '--prompt-products <kind>',
        help: `what products of prompts are made in, with weights in 4 bits: ${PROMPT_PRODUCTS.join(', ')} (default: file)`,
      }),
      speculation: setting(z.enum(SPECULATION).optional(), {
        flag: '--speculation <kind>',
        help: `what n-grams answers are guessed from, several tokens at once: ${SPECULATION.join(', ')} (default: off)`,
      }),
      maxDraftTokens: setting(z.number().int().min(1).max(MOST_DRAFT_TOKENS).optional(), {
        flag: '--max-draft-tokens <n>',
        help: `tokens that are guessed at once (default: ${DEFAULT_DRAFT_TOKENS})`,
        kind: 'number',
      }),
    })
    .optional(),
  prefill: z
    .strictObject({
      count: setting(z.number().int().min(0).max(64).optional(), {
        flag: '--prefills <n>',
        help: 'actors that run long prompts beside running answers; 0 for none',
        kind: 'number',
      }),
      threads: setting(count.optional(), {
        flag: '--prefill-threads <n>',
        help: 'inference threads of each, taken from those of the language model',
        kind: 'number',
      }),
    })
    .optional(),
  vision: z
    .strictObject({
      cacheBytes: setting(z.number().int().min(0).max(MAX_CACHE_BYTES).optional(), {
        flag: '--image-cache-bytes <n>',
        help: 'memory for encoded images, shared by all actors (default: a share of the memory, at most 128 MiB)',
        kind: 'number',
      }),
      maxTilesPerRun: setting(z.number().int().min(1).max(1024).optional(), {
        flag: '--max-tiles-per-run <n>',
        help: 'image tiles encoded together (default: 16)',
        kind: 'number',
      }),
    })
    .optional(),
  shareWeights: setting(z.enum(WEIGHT_SHARING as [WeightSharing, ...WeightSharing[]]).optional(), {
    flag: '--share-weights <when>',
    help: `whether actors of a pool share weights in memory: ${WEIGHT_SHARING.join(', ')} (default: auto)`,
  }),
  mapWeights: setting(z.enum(MAP_WEIGHTS as [MapWeights, ...MapWeights[]]).optional(), {
    flag: '--map-weights <what>',
    help: `what is mapped of weights beside a graph: copies in the cache, originals (must not be written to), never: they are read (default: copies)`,
  }),
  limits: z
    .strictObject({
      maxImages: setting(z.number().int().min(0).max(1024).optional(), {
        flag: '--max-images <n>',
        help: 'images in one request (default: 8)',
        kind: 'number',
      }),
      maxImageBytes: setting(bytes.optional(), {
        flag: '--max-image-bytes <n>',
        help: 'encoded size of one image (default: 20 MiB)',
        kind: 'number',
      }),
      maxImagePixels: setting(bytes.optional(), {
        flag: '--max-image-pixels <n>',
        help: 'pixels of one image as its header claims (default: 40,000,000)',
        kind: 'number',
      }),
      maxImageSide: setting(bytes.optional(), {
        flag: '--max-image-side <n>',
        help: 'pixels of the longer side of one image (default: 65,535)',
        kind: 'number',
      }),
      memoryBytes: setting(z.number().int().min(MIN_MEMORY_BYTES).optional(), {
        flag: '--memory-bytes <n>',
        help: 'memory that the process is meant to stay within (default: 80 % of what there is)',
        kind: 'number',
      }),
    })
    .optional(),
  images: z
    .strictObject({
      files: setting(z.union([z.enum(['none', 'any']), z.array(z.string().min(1))]).optional(), {
        flag: '--image-folder <dir>',
        help: 'folder that images may be read from, as file: URLs',
        kind: 'list',
      }),
      urls: setting(z.enum(['none', 'https', 'http']).optional(), {
        flag: '--image-urls <kind>',
        help: 'which web addresses images are fetched from: none, https, http',
      }),
      hosts: setting(z.array(z.string().min(1)).optional(), {
        flag: '--image-host <name>',
        help: 'the only host to fetch images from, *.example.org for all below one',
        kind: 'list',
      }),
      privateAddresses: setting(z.boolean().optional(), {
        flag: '--image-private-addresses',
        help: 'also fetch images from addresses that are not public',
        kind: 'boolean',
      }),
      fetchTimeoutMs: setting(milliseconds.max(3_600_000).optional(), {
        flag: '--image-timeout-ms <n>',
        help: 'time for fetching one image (default: 10000)',
        kind: 'number',
      }),
      proxy: setting(
        z.string().refine(isProxyUrl, 'Must be an http: or https: URL with a host, and no path').optional(),
        {
          flag: '--image-proxy <url>',
          help: 'proxy to fetch images through; it must keep inner addresses out itself',
          secret: true,
        },
      ),
      userAgent: setting(
        z
          .string()
          .regex(/^[\x20-\x7e]{1,256}$/, 'Must be 1 to 256 printable ASCII characters')
          .optional(),
        {
          flag: '--image-user-agent <text>',
          help: 'what image hosts are told of who asks (default: troupe and its version)',
        },
      ),
    })
    .optional(),
  requestTimeoutMs: setting(milliseconds.optional(), {
    flag: '--request-timeout-ms <n>',
    help: 'time a request may take (default: 600000)',
    kind: 'number',
  }),
  retries: setting(z.number().int().min(0).max(100).optional(), {
    flag: '--retries <n>',
    help: 'times a request that lost its actor before the first token is tried again (default: 2)',
    kind: 'number',
  }),
  watchdog: z
    .strictObject({
      turnMs: setting(milliseconds.optional(), {
        flag: '--watchdog-turn-ms <n>',
        help: 'time without a sign of life after which an actor is taken for hung, and replaced (default: 15000)',
        kind: 'number',
      }),
      setUpMs: setting(milliseconds.optional(), {
        flag: '--watchdog-setup-ms <n>',
        help: 'the same while it starts (default: 60000)',
        kind: 'number',
      }),
      nativeMs: setting(milliseconds.optional(), {
        flag: '--watchdog-native-ms <n>',
        help: 'the same in a run of a graph of which nothing is known yet, at the start or on a GPU (default: 20000 and 25 for each million weights of the largest graph; on a GPU 120000)',
        kind: 'number',
      }),
    })
    .optional(),
  stopGraceMs: setting(z.number().min(0).optional(), {
    flag: '--stop-grace-ms <n>',
    help: 'time an actor gets to finish when the engine stops (default: 10000)',
    kind: 'number',
  }),
});

function isProxyUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '';
}
