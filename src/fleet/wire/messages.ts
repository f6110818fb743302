/**
 * Every message between the members of a fleet, declared once for both ends and checked by whoever receives it: nothing is
 * believed of what comes over the wire. What one end adds later, the other refuses, so members of a fleet run one version.
 */
import { z } from 'zod';
import type { ChildState } from '../../../runtime/supervision/child.ts';

/** In every announcement; other versions are not talked to. */
export const PROTOCOL = 3;

const whole = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const duration = z.number().min(0).max(1e12);
const name = z.string().min(1).max(128);
/** Of a node or gateway: a part of a subject. */
const member = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const attempt = z.string().regex(/^[A-Za-z0-9-]{8,64}$/);
/** See `request-keys.ts`. */
const key = z.string().regex(/^[\w-]{8,24}$/);

/** Most keys of one announcement: some 20 KB. */
export const MOST_KEYS = 1_024;
/** Of one request. */
export const MOST_KEYS_ASKED = 64;

// -------------------------------------------------------------------------------------------- announcements

const CHILD_STATES = [
  'starting',
  'up',
  'restarting',
  'escalated',
  'stopping',
  'stopped',
  'quarantined',
] as const satisfies readonly ChildState[];

const actorSchema = z.strictObject({
  name,
  state: z.enum(CHILD_STATES),
  restarts: whole,
  load: z
    .strictObject({
      queueDepth: whole,
      running: whole,
      freeSlots: whole,
      busyMs: duration,
      silentMs: duration,
    })
    .optional(),
});

const announcedModelSchema = z.strictObject({
  name: z.string().regex(/^[\w.:/@-]{1,128}$/),
  mode: z.enum(['aggregated', 'disaggregated']),
  /** Tokens; absent until it was loaded once. */
  contextLength: whole.optional(),
  /** Loaded, and every actor that it needs is up. */
  ready: z.boolean(),
  /** Requests in its engine at once. */
  places: whole.min(1),
  running: whole,
  waiting: whole,
  /** Of prompts that gateways gave it and that are not run yet, as they told it. */
  waitingTokens: whole,
  actors: z.array(actorSchema).max(256),
  /** Images found encoded, and asked for, since the node's start. */
  images: z.strictObject({ hits: whole, queries: whole }).optional(),
});

export const announcementSchema = z.strictObject({
  protocol: z.literal(PROTOCOL),
  node: member,
  /** Takes no new requests. */
  draining: z.boolean(),
  /** It is leaving now: nothing more will come. */
  gone: z.boolean(),
  /** Its wall clock, ms, by which deadlines are told to it. */
  clock: z.number(),
  models: z.array(announcedModelSchema).max(256),
  /** Of images and conversations whose work it holds; absent while nothing has changed. */
  keys: z.array(key).max(MOST_KEYS).optional(),
});

export type Announcement = z.infer<typeof announcementSchema>;
export type AnnouncedModel = z.infer<typeof announcedModelSchema>;
export type AnnouncedActor = z.infer<typeof actorSchema>;

// ------------------------------------------------------------------------------------------- to a node

/** The request as the engine takes it, images by number. All else of it is checked by the engine. */
export const chatSchema = z.looseObject({ messages: z.array(z.unknown()).max(65_536) });

/** The head of a request; its images follow it, or are asked for piece by piece. */
export const submitSchema = z.strictObject({
  kind: z.literal('submit'),
  attempt,
  gateway: member,
  model: name,
  /** What is wanted: the answer whole or as it is made, or the tokens of a prompt, or the text of tokens. */
  task: z.enum(['answer', 'stream', 'tokenize', 'detokenize']),
  /** Of the tokens of a prompt: what is told beside their ids. */
  pieces: z.enum(['spelled', 'text']).optional(),
  /** When it is no longer wanted, on the node's wall clock, ms; and how long that is by the gateway's count. The sooner counts. */
  deadlineAt: z.number(),
  leftMs: duration,
  /** How many tokens it will have to run before the first of the answer, images counted as tokens: an estimate. */
  promptTokens: whole.max(1e9),
  /** Of images and turns that it holds, for the node to remember. */
  keys: z.array(key).max(MOST_KEYS_ASKED),
  /** Of traces: W3C `traceparent` and `tracestate`. */
  trace: z.strictObject({
    traceparent: z.string().max(512).optional(),
    tracestate: z.string().max(8_192).optional(),
    baggage: z.string().max(8_192).optional(),
  }),
  /** Absent when it is too large for a message: then it comes behind the images. */
  chat: chatSchema.optional(),
  /** Bytes of the request as JSON, where it comes behind the images. */
  chatBytes: whole,
  /** Bytes of each image. */
  images: z.array(whole).max(4_096),
  /** Whether what follows the head is in this message; otherwise it is to be asked for. */
  inline: z.boolean(),
});

export type Submit = z.infer<typeof submitSchema>;

export const toNodeSchema = z.discriminatedUnion('kind', [
  submitSchema,
  /** Compute for it stops. */
  z.strictObject({ kind: z.literal('cancel'), attempts: z.array(attempt).max(1_024) }),
  /** Send again what came from this frame on. Answered by whether the attempt is known. */
  z.strictObject({ kind: z.literal('resume'), attempt, from: whole }),
  /** The gateway lives. */
  z.strictObject({ kind: z.literal('beat'), gateway: member }),
  z.strictObject({ kind: z.literal('clear-caches'), model: name }),
]);

export type ToNode = z.infer<typeof toNodeSchema>;

/** A failure as it travels: what `TroupeError`s are made of. */
export const failureSchema = z.strictObject({
  name: z.enum(['TroupeError', 'InputError', 'ModelError', 'ActorError']),
  code: z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/),
  message: z.string().max(8_192),
  retrySafe: z.boolean(),
  details: z.record(
    z.string().max(64),
    z.union([
      z.string().max(8_192),
      z.number(),
      z.boolean(),
      z.null(),
      z.array(z.string().max(1_024)).max(64),
    ]),
  ),
});

export type Failure = z.infer<typeof failureSchema>;

/** What a node answers to `submit` and `resume`. */
export const replySchema = z.union([
  z.strictObject({ ok: z.literal(true) }),
  z.strictObject({ ok: z.literal(false), failure: failureSchema }),
]);

export const clearedSchema = z.record(z.string().max(128), whole);

// ---------------------------------------------------------------------------------------- to a gateway

const logprob = z.strictObject({
  id: whole,
  text: z.string(),
  bytes: z.array(z.number().int().min(0).max(255)),
  logprob: z.number(),
});

/** Fields that are not known here are the engine's, and pass. */
const deltaSchema = z.looseObject({
  text: z.string(),
  tokenIds: z.array(whole),
  index: z.exactOptional(whole),
  toolCalls: z.exactOptional(
    z.array(
      z.strictObject({
        index: whole,
        id: z.exactOptional(z.string()),
        name: z.exactOptional(z.string()),
        arguments: z.string(),
      }),
    ),
  ),
  logprobs: z.exactOptional(z.array(logprob.extend({ top: z.array(logprob) }))),
});

const head = { a: attempt, s: whole };

/** In the order of `s`, from 0, without gaps. Names are short because there is one frame a token. */
export const frameSchema = z.discriminatedUnion('k', [
  /** Delta: of the answer's text and tokens. */
  z.strictObject({
    ...head,
    k: z.literal('d'),
    v: deltaSchema,
  }),
  /** A part of the JSON of a frame that is larger than a message; the frame that ends it has none of its own. */
  z.strictObject({ ...head, k: z.literal('p'), v: z.string() }),
  z.strictObject({ ...head, k: z.literal('j') }),
  /** The end: the result, of which the first of its choices is not said twice. */
  z.strictObject({ ...head, k: z.literal('e'), v: z.looseObject({}) }),
  z.strictObject({ ...head, k: z.literal('x'), v: failureSchema }),
  /** Sign of life; `s` is the number of the next frame. */
  z.strictObject({ ...head, k: z.literal('b') }),
]);

export type Frame = z.infer<typeof frameSchema>;

export const framesSchema = z.array(frameSchema).max(4_096);

/** What the result of an engine has to have to be taken for one; more passes. */
export const resultSchema = z.looseObject({
  /** All answers, whole: what deltas said of several, of calls or of logprobs is not put together again. */
  choices: z
    .array(
      z.looseObject({
        index: whole,
        text: z.string(),
        tokenIds: z.array(whole),
        finishReason: z.enum(['stop', 'length', 'tool_calls']),
        toolCalls: z.exactOptional(
          z.array(z.strictObject({ id: z.string(), name: z.string(), arguments: z.string() })),
        ),
        logprobs: z.exactOptional(z.array(logprob.extend({ top: z.array(logprob) }))),
      }),
    )
    .min(1)
    .max(128),
  usage: z.looseObject({
    promptTokens: whole.max(1e9),
    imageTokens: whole,
    cachedTokens: whole,
    completionTokens: whole,
    acceptedDraftTokens: z.exactOptional(whole),
    rejectedDraftTokens: z.exactOptional(whole),
  }),
  timings: z.looseObject({
    queueMs: duration,
    preprocessMs: duration,
    encodeMs: duration,
    prefillMs: duration,
    timeToFirstTokenMs: duration,
    interTokenMs: duration,
    totalMs: duration,
  }),
  mode: z.enum(['aggregated', 'disaggregated']),
  bytesBetweenActors: z.strictObject({
    pixels: z.strictObject({ moved: whole, copied: whole }),
    embeddings: z.strictObject({ moved: whole, copied: whole }),
  }),
});

/** Of the tokens of a prompt. */
export const tokenizedSchema = z.strictObject({
  ids: z.array(whole),
  pieces: z.array(z.union([z.string(), z.array(z.number().int().min(0).max(255))])),
});

/** Of the text of tokens. */
export const detokenizedSchema = z.strictObject({ text: z.string() });

/** A piece of the images of a request, asked for by the node. */
export const pieceSchema = z.strictObject({ attempt, offset: whole, length: whole.min(1) });
export type Piece = z.infer<typeof pieceSchema>;
