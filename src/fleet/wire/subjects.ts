/**
 * The subjects of a fleet. All begin with its name, so that permissions of NATS users can be given per fleet:
 *
 *     <fleet>.announce        nodes say how they are
 *     <fleet>.hello           a gateway has come, and wants to hear from all nodes
 *     <fleet>.node.<node>     to one node: requests, cancels, questions
 *     <fleet>.gateway.<id>    to one gateway: frames of answers
 *     <fleet>.piece.<id>      of one gateway: pieces of requests, on demand
 */
export interface FleetSubjects {
  readonly announce: string;
  readonly hello: string;
  node(id: string): string;
  gateway(id: string): string;
  piece(id: string): string;
}

export function fleetSubjects(fleet: string): FleetSubjects {
  return {
    announce: `${fleet}.announce`,
    hello: `${fleet}.hello`,
    node: (id) => `${fleet}.node.${id}`,
    gateway: (id) => `${fleet}.gateway.${id}`,
    piece: (id) => `${fleet}.piece.${id}`,
  };
}
