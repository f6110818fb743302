/** How a gateway chooses nodes, against other ways, in a simulated fleet: what the defaults of `choose-node.ts` rest on. */
import { seeded } from '../../scripts/soak/random.ts';
import { DEFAULT_WEIGHTS } from '../../src/fleet/gateway/choose-node.ts';
import { type Policy, type Simulated, simulate } from '../fleet/simulate.ts';
import { madeUpTrace, recordedTrace, type Trace } from '../fleet/trace.ts';
import type { Claim, FigureTable, Suite } from '../suite.ts';

const POLICIES: readonly Policy[] = [
  'random',
  'turns',
  'two choices',
  'held alone',
  ...[0, 1 / 2, 1, 2, 4].map((factor) => ({
    ...DEFAULT_WEIGHTS,
    waitingWeight: DEFAULT_WEIGHTS.waitingWeight * factor,
  })),
  ...[1 / 2, 2].map((factor) => ({
    ...DEFAULT_WEIGHTS,
    tokensPerLoad: DEFAULT_WEIGHTS.tokensPerLoad * factor,
  })),
];

const isDefault = (policy: Policy) =>
  typeof policy === 'object' &&
  policy.tokensPerLoad === DEFAULT_WEIGHTS.tokensPerLoad &&
  policy.waitingWeight === DEFAULT_WEIGHTS.waitingWeight;

interface Case {
  readonly name: string;
  readonly nodes: number;
  readonly trace: Trace;
}

/** Each so that its nodes are busy to about two thirds. */
function cases(quick: boolean): Case[] {
  const made = (nodes: number, requests: number): Case => ({
    name: `made up, ${nodes} nodes`,
    nodes,
    trace: madeUpTrace({ requests, perSecond: nodes * 1.5, pictures: nodes * 50, random: seeded(1) }),
  });
  const recorded = (nodes: number, spread: number): Case => ({
    name: `recorded, ${nodes} nodes`,
    nodes,
    trace: recordedTrace(spread),
  });
  if (quick) return [made(4, 2_000), recorded(32, 1)];
  return [made(4, 6_000), made(100, 20_000), made(1_000, 40_000), recorded(32, 1), recorded(256, 8)];
}

export const fleetRoutingSuite: Suite = {
  name: 'fleet-routing',
  description:
    'which node gets a request: hits, queues and imbalance of several policies in a simulated fleet',
  shows:
    'of the work that some node holds, the default policy finds >= 90 % in made-up traces up to 1,000 nodes',
  run({ quick }) {
    const figures: FigureTable[] = [];
    const claims: Claim[] = [];
    for (const { name, nodes, trace } of cases(quick)) {
      const results = POLICIES.map(
        (policy) => [policy, simulate({ nodes, trace, policy, random: seeded(2) })] as const,
      );
      figures.push(figure(`Hit rate, ${name}`, '%', results, ({ hitRate }) => 100 * hitRate));
      figures.push(
        figure(`99th percentile of the queue, ${name}`, 'ms', results, ({ p99QueueMs }) => p99QueueMs),
      );
      figures.push(
        figure(`Busiest node against the mean, ${name}`, '×', results, ({ imbalance }) => imbalance),
      );
      const own = results.find(([policy]) => isDefault(policy))?.[1];
      const two = results.find(([policy]) => policy === 'two choices')?.[1];
      if (own === undefined || two === undefined) continue;
      if (name.startsWith('made up')) {
        claims.push({
          text: `Hit rate, ${name}`,
          measured: 100 * own.hitRate,
          unit: ' %',
          goal: { atLeast: 90 },
        });
      }
      const measured = own.p99QueueMs / two.p99QueueMs;
      claims.push({
        text: `99th percentile of the queue against two choices, ${name}`,
        measured,
        unit: '×',
        goal: { atMost: 1.1 },
      });
    }
    return Promise.resolve({ figures, claims });
  },
};

function figure(
  title: string,
  unit: string,
  results: readonly (readonly [Policy, Simulated])[],
  read: (simulated: Simulated) => number,
): FigureTable {
  const rows = results.map(([policy, simulated]) => ({
    name:
      typeof policy === 'object'
        ? `${policy.tokensPerLoad} tokens per load, ${policy.waitingWeight} per token that waits`
        : policy,
    value: read(simulated),
    unit,
  }));
  return { title, rows };
}
