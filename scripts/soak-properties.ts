/** `npm run soak:properties`: the property-based tests of the runtime, over and over with other seeds. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { flagsOf } from './flags.ts';

const FOLDER = new URL('../test/runtime/properties/', import.meta.url);

const HELP = `Usage: npm run soak:properties -- [options]

Runs the property-based tests of mailbox, flow control, refs, streams and wire with one seed after the other, far more cases
than npm test. Ends at the first failure, which says with which seed and path it comes again.

Options:
  --minutes N   (default: 10)
  --runs N      cases of each property and seed (default: 5000)
  --seed N      the first (default: 1)
  --help        show this
`;

const values = flagsOf(HELP, {
  minutes: { type: 'string', default: '10' },
  runs: { type: 'string', default: '5000' },
  seed: { type: 'string', default: '1' },
});

const files = readdirSync(FOLDER).map((name) => fileURLToPath(new URL(name, FOLDER)));
const endsAt = performance.now() + Number(values.minutes) * 60_000;

for (let seed = Number(values.seed); performance.now() < endsAt; seed++) {
  const env = { ...process.env, PROPERTY_SEED: `${seed}`, PROPERTY_RUNS: values.runs };
  const { status } = spawnSync(process.execPath, ['--test', '--test-reporter=dot', ...files], {
    env,
    stdio: 'inherit',
  });
  console.log(`seed ${seed}: ${status === 0 ? 'passed' : 'FAILED'}`);
  if (status !== 0) {
    process.exitCode = 1;
    break;
  }
}
