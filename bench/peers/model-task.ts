/** What `model-child.ts` is asked and answers, as JSON. */
export interface ModelTask {
  readonly ids: readonly number[];
  /** Those of all images of the prompt. */
  readonly pixels?: { readonly data: readonly number[]; readonly dims: readonly number[] };
  /** Patches in time, height and width of each image, for models that take them. */
  readonly grids?: readonly (readonly number[])[];
  readonly maxTokens: number;
}

export type ModelAnswer = { readonly tokenIds: readonly number[] } | { readonly error: string };
