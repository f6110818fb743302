/**
 * A request of a connection that may have been cut off while Node's parser is still at the same piece of what came: it goes
 * on through thousands of requests after the socket is destroyed. Where a request wants another protocol, the parser stops
 * and leaves the rest to others; a destroyed connection's next request says that it does. Tested, since this is how Node
 * works and not what it promises; without it the rest would be parsed for nothing.
 */
import { IncomingMessage } from 'node:http';

export class CutOffMessage extends IncomingMessage {
  declare asked: boolean | null;

  get upgrade(): boolean {
    return this.asked === true || this.socket.destroyed;
  }

  set upgrade(asked: boolean | null) {
    this.asked = asked;
  }
}
