/** What the suites ask of a llama.cpp, whichever way it is reached: prompts as token ids, all of them at once, greedy. */
export interface LlamaRequest {
  readonly ids: readonly number[];
  /** The answer is so long, whichever token would end it. */
  readonly maxTokens: number;
}

export interface LlamaTask {
  readonly requests: readonly LlamaRequest[];
  /** Whether what is left of earlier prompts may be used again, where a peer can. Default false. */
  readonly knowsPrompts?: boolean | undefined;
}

export interface LlamaAnswer {
  /** From the first request to the last token. */
  readonly ms: number;
  readonly tokenIds: readonly (readonly number[])[];
  /** When each token of each answer was there, milliseconds from the first request. */
  readonly arrivals: readonly (readonly number[])[];
}

/** What a context is made for. */
export interface LlamaSize {
  /** Requests that run at once. */
  readonly slots: number;
  /** Of each request, prompt and answer. */
  readonly tokens: number;
  readonly threads: number;
}

export interface LlamaPeer {
  /** What tables call it. */
  readonly name: string;
  /** Of the process that holds the model. */
  readonly pid: number;
  answer(task: LlamaTask): Promise<LlamaAnswer>;
  stop(): Promise<void>;
}
