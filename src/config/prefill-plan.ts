/**
 * Whether PD gets an actor that runs long prompts while it decodes (Dynamo's prefill worker), and why. The two share
 * PD's cores: alone PD decodes on all of them, beside a prompt on those that the other leaves.
 */
import { InputError } from '../../actors/errors.ts';
import { type Device, isGpu } from '../../actors/inference/gpu/device.ts';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import type { SharedWeights } from '../share-weights.ts';
import type { PoolOptions } from './options.ts';
import { AS_ASKED, plural, SMALL_MODEL_BYTES, type ThreadPlan } from './thread-plan.ts';
import { type WeightSharing, weightsOf } from './weight-sharing.ts';

export interface PrefillFacts {
  readonly directory: Pick<ModelDirectory, 'graphs'>;
  /** Where PD runs. */
  readonly device: Device;
  readonly sharing: WeightSharing;
}

/**
 * The plan with such an actor, where there is to be one.
 *
 * @throws InputError `INVALID_OPTION` when one is asked for that could not work
 */
export function planPrefill(
  plan: ThreadPlan,
  given: PoolOptions | undefined,
  { directory: { graphs }, device, sharing }: PrefillFacts,
): ThreadPlan {
  const { decoder } = graphs;
  const { pd } = plan;
  if (given?.count === 0) return plan;
  if (given?.count !== undefined) refuseUseless(given.count, device, decoder.rewrite?.rewritten === true);
  const wanted =
    !isGpu(device) &&
    decoder.rewrite?.rewritten === true &&
    sharing !== 'never' &&
    pd.threads > 1 &&
    weightsOf(decoder) >= SMALL_MODEL_BYTES;
  if (given?.count === undefined && !wanted) return plan;
  const count = given?.count ?? pd.count;
  const half = Math.max(1, Math.floor((pd.count * pd.threads) / 2 / count));
  const threads = given?.threads ?? half;
  const why = given?.threads === undefined ? `half of PD's ${plural(pd.threads, 'thread')}` : AS_ASKED;
  return { ...plan, prefill: { count, threads, why: `${why}, while answers are decoded on the others` } };
}

/**
 * The plan without an actor that nobody asked for, where the weights of the decoder could not be shared: it would be in
 * memory three times for its sake.
 */
export function withinMemory(
  { prefill, ...plan }: ThreadPlan,
  given: PoolOptions | undefined,
  weights: readonly SharedWeights[],
): ThreadPlan {
  const shared = weights.some((one) => one.graph === 'decoder' && one.shared);
  return prefill === undefined || (given?.count === undefined && !shared) ? plan : { ...plan, prefill };
}

function refuseUseless(count: number, device: Device, rewritten: boolean): void {
  if (!isGpu(device) && rewritten) return;
  const problem = isGpu(device)
    ? 'cannot help a PD that runs on a GPU'
    : 'needs a decoder that could be rewritten';
  throw new InputError('INVALID_OPTION', problem, {
    field: 'prefill.count',
    value: String(count),
    remedy: 'Leave it out, or give 0',
  });
}
