/** A way out of this thread for what began within it: a stream that an actor on the system's thread hands on to one that has its own. */
import type { Port } from './port.ts';

/** An end that can travel over `over` and is the same as `inner`, which is passed on from now on and used for nothing else. */
export function bridge(inner: Port, over: Port): Port {
  const [here, there] = over.pair();
  relay(inner, here);
  relay(here, inner);
  return there;
}

function relay(from: Port, to: Port): void {
  from.listen({
    // What it carries has been cloned already, or is plain.
    onMessage: (message) => to.post(message),
    onClose: () => to.close(),
  });
}
