/**
 * How the memory of this process is divided. The whole is `limits.memoryBytes`; each share bounds one thing that requests
 * can make large, whoever sends them and however many. What is left is for weights, for Node itself, and for what a share
 * cannot count to the byte.
 */
import { totalmem } from 'node:os';
import process from 'node:process';

export interface MemoryPlan {
  /** Most that the process is meant to have. */
  readonly limitBytes: number;
  /** Images while they are decoded and resized, all together. */
  readonly decodeBytes: number;
  /** Of that kind, what is kept free for small images, which so never wait behind large ones. */
  readonly smallDecodeBytes: number;
  /** Preprocessed pixels on their way to the vision graph. */
  readonly pixelBytes: number;
  /** Image embeddings that requests are made of. */
  readonly embeddingBytes: number;
  /** Image embeddings kept for images that come again, unless `vision.cacheBytes` says. */
  readonly imageCacheBytes: number;
  /** What is found out about constraints of answers and kept, by all actors that decode together. */
  readonly constraintBytes: number;
  /** Encoded images fetched from the web; each is held twice, by the server and by the actor that decodes it. */
  readonly fetchedBytes: number;
  /** Bodies of requests, and the images in them, until they are answered, unless `http.maxBufferedBytes` says. */
  readonly bufferedBytes: number;
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Of what the machine or the container has: its system, and whatever runs beside, needs some too. */
const DEFAULT_SHARE = 0.8;

/** Of `limits.memoryBytes`, with what is enough on any machine. Keys and values of the model take 0.3 of it at most. */
const SHARES = {
  decodeBytes: { share: 0.3, most: 4 * GIB },
  smallDecodeBytes: { share: 0.05, most: 512 * MIB },
  pixelBytes: { share: 0.12, most: 512 * MIB },
  embeddingBytes: { share: 0.06, most: 256 * MIB },
  imageCacheBytes: { share: 0.04, most: 128 * MIB },
  constraintBytes: { share: 0.02, most: 64 * MIB },
  fetchedBytes: { share: 0.08, most: 512 * MIB },
  bufferedBytes: { share: 0.2, most: 256 * MIB },
} as const;

/** Bytes. The limit of the control group where there is one, else the machine's memory. */
export function defaultMemoryLimit(constrained = process.constrainedMemory(), machine = totalmem()): number {
  // 0 and numbers beyond the machine mean that there is no limit.
  const here = constrained > 0 ? Math.min(constrained, machine) : machine;
  return Math.floor(here * DEFAULT_SHARE);
}

/** @param limitBytes `limits.memoryBytes` */
export function planMemory(limitBytes: number): MemoryPlan {
  const shareOf = (name: keyof typeof SHARES) =>
    memoryShare(limitBytes, SHARES[name].share, SHARES[name].most);
  return {
    limitBytes,
    decodeBytes: shareOf('decodeBytes'),
    smallDecodeBytes: shareOf('smallDecodeBytes'),
    pixelBytes: shareOf('pixelBytes'),
    embeddingBytes: shareOf('embeddingBytes'),
    imageCacheBytes: shareOf('imageCacheBytes'),
    constraintBytes: shareOf('constraintBytes'),
    fetchedBytes: shareOf('fetchedBytes'),
    bufferedBytes: shareOf('bufferedBytes'),
  };
}

/** A part of the memory for one purpose, in whole bytes. */
export function memoryShare(limitBytes: number, share: number, mostBytes: number): number {
  return Math.floor(Math.min(limitBytes * share, mostBytes));
}
