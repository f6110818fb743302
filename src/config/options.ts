/** How an engine is configured. Every field has a default; `resolve-config.ts` checks and completes them. */

import type { DeviceChoice } from '../../actors/inference/gpu/device.ts';
import type { Dtype } from '../../actors/model/graph-files.ts';
import type { PromptProducts } from '../../actors/model/prompt-products.ts';
import type { SpeculationKind } from '../../actors/pd/speculation/speculation-options.ts';
import type { ToolStyle } from '../../actors/tools/tool-style.ts';
import type { Mode } from '../chat-types.ts';
import type { MapWeights, WeightSharing } from './weight-sharing.ts';

/**
 * How many actors of a kind there are. Default: by the cores of the machine; `troupe inspect` says how many, and why.
 */
export interface PoolOptions {
  /** Actors, one thread each. */
  readonly count?: number;
  /** Intra-op threads of each actor's inference sessions. */
  readonly threads?: number;
}

/** Where images may come from. Others are refused: `IMAGE_FILE_REFUSED`, `IMAGE_URL_REFUSED`. */
export interface ImageOptions {
  /** Files: none, any, or those in these folders once symbolic links are resolved. Default `any`. */
  readonly files?: 'none' | 'any' | readonly string[];
  /** Web addresses: none, https alone, or http too. Default `http`. */
  readonly urls?: 'none' | 'https' | 'http';
  /** The only hosts to fetch from, `*.example.org` for all below one. Default: all. */
  readonly hosts?: readonly string[];
  /** Also connect to addresses that are not public: loopback, private, link-local… Default false. */
  readonly privateAddresses?: boolean;
  /** Milliseconds for fetching one image. Default 10,000. */
  readonly fetchTimeoutMs?: number;
  /**
   * Proxy that fetches images, as an http(s) URL. It looks up names itself, so it is the proxy that must keep inner
   * addresses out; scheme, host list and literal addresses are still checked here. Default: none; no variable is read.
   */
  readonly proxy?: string;
  /** `User-Agent` for image hosts; some want a way to reach you in it. Default `troupe/VERSION`. */
  readonly userAgent?: string;
}

/**
 * How an engine is made. Every field has a default; one that is wrong, unknown or contradicts another is refused with
 * `INVALID_OPTION`, which names it.
 */
export interface TroupeOptions {
  /**
   * Model directory in the Hub layout, or the name of a model on the Hub, `owner/name` or `owner/name@revision`, whose files
   * are fetched when the cache does not have them. Default: the embedded model.
   */
  readonly model?: string;
  /** Default `aggregated`. */
  readonly mode?: Mode;
  /** Precision of the ONNX files to load. Default: for each graph the first present of fp32, q4, q8… */
  readonly dtype?: Dtype;
  /**
   * A prompt template in the place of the model's chat template, for models without a usable one: `<prompt>` once and, before
   * it, `<image>` at most once, as in `USER: <image>\\n<prompt> ASSISTANT:`. `\\n` is a new line, `<bos>` the model's first
   * token. Default: the model's chat template, else that of its family.
   */
  readonly promptTemplate?: string;
  /** How the model writes calls of tools. Default: as its chat template teaches, see docs/tools.md. */
  readonly toolCallParser?: ToolStyle;
  /**
   * Where the model runs. A GPU belongs to one actor of a process: in aggregated mode to the only one of its pool, in
   * disaggregated mode to the encoder or to PD. `auto`: a GPU where one is known to be there and worth it, else the
   * CPU. Default `cpu`.
   */
  readonly device?: DeviceChoice;
  /** Actors that prepare text and images. Default: one for four cores, at least one. */
  readonly processor?: Pick<PoolOptions, 'count'>;
  /** Disaggregated mode only. */
  readonly encoder?: PoolOptions & {
    /** Default: `device`. */
    readonly device?: DeviceChoice;
  };
  /** The language model; in aggregated mode also the encoder. */
  readonly pd?: PoolOptions & {
    /** Default: `device`. */
    readonly device?: DeviceChoice;
    /** Sequences decoded together by one actor, as many as have memory. Default 64. */
    readonly maxRunning?: number;
    /** Sequences waiting in one actor for a place in the batch. Default 32. */
    readonly maxWaiting?: number;
    /** Memory of one actor for keys and values of sequences, bytes. Default: a quarter of what is available. */
    readonly kvCacheBytes?: number;
    /** Memory of one actor for prompts that may come again, bytes; 0 keeps none. Default: a twentieth. */
    readonly prefixCacheBytes?: number;
    /**
     * Prompt tokens that one actor runs between two decode steps. Fewer keep running answers smoother, more let a prompt in
     * sooner. Default: by what steps take; at least 16 and at most 128 beside answers that are being read, up to 640 where
     * none is (on a GPU 512).
     */
    readonly prefillTokensPerStep?: number;
    /**
     * What products of prompts are made in, of a decoder with weights in 4 bits, on the CPU. `8-bit`: in bytes, in half the
     * time, with weights that are rounded once more and one scale for each token; answers then differ a little from those
     * of `file`, and the decoder has one byte a weight more in memory. Tokens of answers are made as the file says in either
     * case. Default `file`.
     */
    readonly promptProducts?: PromptProducts;
    /**
     * Whether answers draft themselves: tokens that n-grams guess are run together, and stay where the model says the same.
     * What is answered does not change, as far as it does not with a batch: in 4 bits another token may come where two are
     * nearly as likely. `own`: n-grams of a request's own prompt and answers; `auto`: of earlier answers of
     * the engine, too. Only where what was measured says that it pays; on the CPU. Default `off`.
     */
    readonly speculation?: SpeculationKind;
    /** Most tokens that are guessed for one run, 1 to 31. Default 8. */
    readonly maxDraftTokens?: number;
  };
  /**
   * Actors that run long prompts while PD decodes, so that answers that are being read keep their pace; on the CPU, with
   * decoders that could be rewritten (`troupe inspect`). They share PD's threads. Default: one for each PD actor that has
   * two threads or more and a large decoder whose weights can be shared. 0: none.
   */
  readonly prefill?: PoolOptions;
  /** Images on their way through the vision graph, in either mode. */
  readonly vision?: {
    /** Bytes of image embeddings kept, for all actors together, for images that come again. 0: none. Default: 4 % of
     * `limits.memoryBytes`, at most 128 MiB.
     */
    readonly cacheBytes?: number;
    /** Most image tiles in one run of the vision graph; fewer when they take long. Default 16. */
    readonly maxTilesPerRun?: number;
  };
  /**
   * Whether actors share the packed weights of a graph, mapped from files in the graph cache. `auto`: where it has 32 MiB or
   * more, and for one actor alone 512 MiB at most. `always` whatever its size. Default `auto`.
   */
  readonly shareWeights?: WeightSharing;
  /**
   * What is mapped of weights in files beside a graph, which is to say read as they are needed, and in nobody's memory
   * alone. `copies`: files of the graph cache, made at the first start; where none can be kept, and for small files, as
   * `never`. `originals`: the model's own files; one that is cut while it is mapped ends the process (SIGBUS). `never`: they are
   * read at the start, by each actor for itself, which takes longer and more memory. Default `copies`.
   */
  readonly mapWeights?: MapWeights;
  /** What a request may bring; more is refused with an `InputError`. */
  readonly limits?: {
    /** Images in one request. Default 8. */
    readonly maxImages?: number;
    /** Encoded size of one image, bytes. Default 20 MiB. */
    readonly maxImageBytes?: number;
    /** Pixels of one image as its header claims. Default 40,000,000. */
    readonly maxImagePixels?: number;
    /** Pixels of the longer side. Default 65,535, the most that a JPEG can have. */
    readonly maxImageSide?: number;
    /**
     * Memory that the process is meant to stay within, bytes. What requests can make large gets shares of it: decoded
     * images, pixels, embeddings, keys and values, images that are fetched. Default: 80 % of what the container, or else
     * the machine, has.
     */
    readonly memoryBytes?: number;
  };
  /**
   * Where images may come from. The default suits a program that names its own images: any file, any public http(s)
   * URL. Say less when the sources come from strangers, as `troupe serve` does.
   */
  readonly images?: ImageOptions;
  /** Milliseconds a request may take from submission. Default 600,000. */
  readonly requestTimeoutMs?: number;
  /** How often a request that lost its actor before the first token is tried again. Default 2. */
  readonly retries?: number;
  /** When an actor is taken for hung, and replaced. */
  readonly watchdog?: {
    /** Milliseconds without a sign of life. Default 15,000. A run of a graph gets ten times what it usually takes, if that is more. */
    readonly turnMs?: number;
    /** The same while it starts. Default 60,000. */
    readonly setUpMs?: number;
    /**
     * The same in a run of a graph of which nothing is known yet: when an actor starts it tries its graphs with made-up input,
     * but not on a GPU. Default 20,000 and 25 for each million weights of the largest graph, on a GPU 120,000.
     */
    readonly nativeMs?: number;
  };
  /** Milliseconds an actor gets to finish what it does when the engine stops. Default 10,000. */
  readonly stopGraceMs?: number;
}
