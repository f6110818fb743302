/** How long the parts of a fleet wait for each other, ms. In one place, because they depend on one another. */

/** A node says how it is so often, and a gateway that it is there. */
export const ANNOUNCE_MS = 1_000;

/** A node without word for so long gets no new requests: three words were lost. */
export const STALE_MS = 3 * ANNOUNCE_MS;

/** And is forgotten after so long. */
export const FORGET_MS = 30_000;

/** A request for which a node has nothing to send gives a sign of life so often. */
export const BEAT_MS = 500;

/** A request of which nothing was heard for so long is asked after: a node whose process is gone is found by that. */
export const SILENT_MS = 1_500;

/** And is taken for lost after so long: the node hangs, or cannot be reached. A loaded machine may well be silent for seconds. */
export const LOST_MS = 6_000;

/** How long a node has to say whether it takes a request. */
export const ACCEPT_MS = 3_000;

/** A node gives up the requests of a gateway that it has not heard of for so long. Longer than `LOST_MS`: both may be cut off for a while. */
export const LEASE_MS = 15_000;

/** Without a connection to NATS for so long, requests fail. */
export const OUTAGE_MS = 10_000;

/** A request for whose model there is no node waits for one so long. */
export const NO_NODE_MS = 5_000;

/** For one piece of a request. */
export const PIECE_MS = 3_000;

/** How often clocks are looked at. */
export const TICK_MS = 250;
