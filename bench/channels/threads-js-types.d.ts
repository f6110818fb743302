/** threads.js has types that its package's exports hide; of them, what the suite uses. */
declare module 'threads' {
  export class Worker {
    constructor(path: string);
  }
  export function spawn<Api>(worker: Worker): Promise<{
    readonly [Name in keyof Api]: Api[Name] extends (...args: infer Args) => infer Result
      ? (...args: Args) => Promise<Awaited<Result>>
      : never;
  }>;
  export const Thread: { terminate(thread: object): Promise<void> };
}
