/**
 * What the model actors need of an inference engine: a loaded graph whose inputs and outputs are known by
 * name, and one call that runs it. `ort-session.ts` is the onnxruntime implementation; tests stand in others.
 */
import type { Tensor } from './onnxruntime.ts';

/** Element type, as onnxruntime names it. */
export type ElementType = Tensor.Type;

/** One input or output of a graph. */
export interface TensorSpec {
  readonly name: string;
  readonly type: ElementType;
  /** A number where the graph fixes the dimension, its symbolic name where it leaves it open. */
  readonly shape: readonly (number | string)[];
}

/** Tensors by input or output name. */
export type Tensors = Record<string, Tensor>;

export interface GraphSession {
  readonly inputs: ReadonlyMap<string, TensorSpec>;
  readonly outputs: ReadonlyMap<string, TensorSpec>;
  /**
   * Runs the graph. It occupies the thread from start to end: messages, timers and cancels are heard afterwards.
   *
   * @param fetches names of the wanted outputs, or tensors to be written in place. Every fetched output is also
   *   copied once by the binding, so name only what is read.
   */
  run(feeds: Tensors, fetches: readonly string[] | Tensors): Promise<Tensors>;
  release(): Promise<void>;
}
