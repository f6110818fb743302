/** A decoder that the rewriter does not know how to change. It then runs as it came; this says why. */
export class NotRewritable extends Error {
  override readonly name = 'NotRewritable';
}
