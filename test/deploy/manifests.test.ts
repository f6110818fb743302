/** The files of deploy/ against what they start: our settings, routes and metrics, and NATS' own check of its arguments. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { gatherSettings } from '../../src/config/gather-settings.ts';
import type { TroupeServer } from '../../src/server/serve.ts';
import { SERVER_SETTINGS, serverConfig } from '../../src/server/server-config.ts';
import { NO_NATS } from '../fleet/support/nats-server.ts';
import { startServer } from '../server/support/server.ts';

const pathOf = (name: string) => fileURLToPath(new URL(`../../deploy/${name}`, import.meta.url));
const read = (name: string) => readFileSync(pathOf(name), 'utf8');

// biome-ignore lint/suspicious/noExplicitAny: what is read is looked at by the tests
type Manifest = any;

const KUBERNETES: readonly Manifest[] = parseAllDocuments(read('kubernetes.yaml')).map((document) => {
  assert.deepEqual(document.errors, []);
  return document.toJS();
});
const COMPOSE: Manifest = parse(read('compose.yaml'), { merge: true });
const VALUES: Readonly<Record<string, string>> = {
  NATS_NODE_PASSWORD: 'node-secret',
  NATS_GATEWAY_PASSWORD: 'gateway-secret',
  TROUPE_API_KEY: 'key-of-this-test',
};
const DOCKERFILE = read('Dockerfile');
/** What the image sets itself. */
const IMAGE = Object.fromEntries(
  [...DOCKERFILE.matchAll(/^ENV (TROUPE_\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
);

const workload = (kind: string, name: string): Manifest =>
  KUBERNETES.find((one) => one.kind === kind && one.metadata.name === name);
const containersOf = (one: Manifest): readonly Manifest[] => one.spec.template.spec.containers;

/** Of a container, with what its secrets would be. */
function environmentOf({ env = [] }: Manifest): Record<string, string> {
  const values: Record<string, string> = {};
  for (const { name, value, valueFrom } of env) {
    values[name] =
      value?.replace(/\$\((\w+)\)/g, (_: string, key: string) => values[key]) ?? secretOf(valueFrom);
  }
  return values;
}

function secretOf({ secretKeyRef }: Manifest): string {
  // The command that makes the secret is in the head of the file.
  assert.match(read('kubernetes.yaml'), new RegExp(`--from-literal=${secretKeyRef.key}=`));
  return `value-of-${secretKeyRef.key}`;
}

const filled = (value: string) => value.replace(/\$\{(\w+):\?\}/g, (_, name: string) => VALUES[name] ?? '');

/** What our process makes of its environment; the command says whether it is a gateway. */
function configOf(command: readonly string[] | undefined, environment: Record<string, string>) {
  const env = { ...IMAGE, ...environment };
  const { options, unknownVariables } = gatherSettings(SERVER_SETTINGS, {
    env,
    flags: new Map(),
    file: undefined,
  });
  assert.deepEqual(unknownVariables, []);
  const [entrypoint] = /(?<=^ENTRYPOINT ).*$/m.exec(DOCKERFILE) ?? [''];
  const [node, bin, ...rest] = command ?? JSON.parse(entrypoint);
  assert.deepEqual([node, bin], ['node', 'dist/src/cli/bin.js']);
  assert.equal(rest.length, 1);
  assert(['serve', 'gateway'].includes(rest[0]));
  return serverConfig({ ...options, ...(rest[0] === 'gateway' && { gateway: true }) });
}

describe('deploy/compose.yaml', () => {
  const services: readonly (readonly [name: string, service: Manifest])[] = Object.entries(COMPOSE.services);
  const ours = services.filter(([, { image }]) => image === 'troupe');

  it('has three NATS servers, two gateways and four nodes, with the settings that we have', () => {
    const kinds = ours.map(([, { entrypoint, environment }]) => {
      const env = Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [name, filled(String(value))]),
      );
      const { gateway, nats, apiKeys, loopback } = configOf(entrypoint, env);
      const user = gateway ? 'gateway' : 'node';
      const hosts = ['nats-1', 'nats-2', 'nats-3'];
      assert.deepEqual(
        nats.servers,
        hosts.map((host) => `nats://${user}:${user}-secret@${host}:4222`),
      );
      assert.deepEqual([apiKeys, loopback], [['key-of-this-test'], false]);
      return user;
    });
    assert.deepEqual(kinds, ['node', 'node', 'node', 'node', 'gateway', 'gateway']);
    assert.equal(services.length - ours.length, 3);
  });

  it('waits for services that it has, and leads to the port that they listen at', () => {
    for (const [, { depends_on, ports = [] }] of services) {
      for (const name of depends_on ?? []) assert(name in COMPOSE.services, name);
      for (const port of ports) assert.match(port, /^\d+:8000$/);
    }
    assert.match(DOCKERFILE, /^EXPOSE 8000$/m);
  });

  it('gives them longer to stop than they take', () => {
    for (const [, { stop_grace_period, entrypoint }] of ours)
      assert(Number.parseInt(stop_grace_period, 10) > stoppingSeconds(entrypoint));
  });

  it('starts NATS with arguments that it takes', { skip: NO_NATS }, () => {
    for (const [, { image, command }] of services) if (image !== 'troupe') assertNatsTakes(command);
  });
});

/** Most that a process takes to stop, by its defaults. */
function stoppingSeconds(command: readonly string[] | undefined): number {
  const { drainMs, resolved } = configOf(command, {
    TROUPE_NATS: 'nats://x',
    TROUPE_API_KEY: 'key-of-this-test',
  });
  return (drainMs + resolved.stopGraceMs) / 1000;
}

function assertNatsTakes(args: readonly string[]): void {
  const own = args.map((arg) => arg.replace('/etc/nats/nats.conf', pathOf('nats.conf')));
  const env = { ...process.env, ...VALUES };
  const { status, stderr } = spawnSync('nats-server', ['-t', ...own], { env, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

describe('deploy/kubernetes.yaml', () => {
  let server: TroupeServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  const ours = ['troupe-node', 'troupe-gateway'].map((name) => workload('Deployment', name));

  it('has the settings that we have', () => {
    for (const one of ours) {
      for (const container of containersOf(one)) {
        const { gateway, nats, loopback } = configOf(container.command, environmentOf(container));
        assert.equal(loopback, false);
        assert.equal(gateway, one.metadata.name === 'troupe-gateway');
        const user = gateway ? 'gateway' : 'node';
        assert.deepEqual(nats.servers, [`nats://${user}:value-of-${user}-password@nats:4222`]);
      }
    }
  });

  it('asks for what our server answers, at a port that is there', async () => {
    const probes = ours.flatMap((one) =>
      containersOf(one).flatMap(({ ports, startupProbe, livenessProbe, readinessProbe }) =>
        [startupProbe, livenessProbe, readinessProbe].flatMap((probe) =>
          probe === undefined ? [] : { ports, ...probe.httpGet },
        ),
      ),
    );
    assert.equal(probes.length, 5);
    for (const { path, port, ports, httpHeaders } of probes) {
      assert.deepEqual(
        ports.map(({ name, containerPort }: Manifest) => [name, containerPort]),
        [[port, 8000]],
      );
      const headers = Object.fromEntries(httpHeaders.map(({ name, value }: Manifest) => [name, value]));
      assert.equal(await statusOf(server, path, headers), 200, path);
    }
  });

  it('gives them longer to stop than they take', () => {
    for (const one of ours) {
      const { terminationGracePeriodSeconds, containers } = one.spec.template.spec;
      for (const { command, lifecycle } of containers) {
        const before = lifecycle?.preStop.sleep.seconds ?? 0;
        assert(terminationGracePeriodSeconds > before + stoppingSeconds(command));
      }
    }
  });

  it('selects the pods that it makes', () => {
    const made = KUBERNETES.filter(({ spec }) => spec.template !== undefined);
    const labels = made.map(({ spec }) => spec.template.metadata.labels.app);
    for (const { spec } of made)
      assert.equal(spec.selector.matchLabels.app, spec.template.metadata.labels.app);
    for (const { kind, spec } of KUBERNETES) {
      if (kind === 'Service') assert(labels.includes(spec.selector.app));
      if (kind === 'PodDisruptionBudget') assert(labels.includes(spec.selector.matchLabels.app));
    }
    const [http] = workload('Service', 'troupe').spec.ports;
    assert.equal(http.targetPort, 'http');
  });

  it('scales nodes by a metric that a server has', async () => {
    const { scaleTargetRef, minReplicas } = workload('HorizontalPodAutoscaler', 'troupe-node').spec;
    assert.equal(workload(scaleTargetRef.kind, scaleTargetRef.name).spec.replicas, minReplicas);
    const [, metric = ''] = /externalMetrics: sum\((\w+)/.exec(read('kubernetes.yaml')) ?? [];
    const exposed = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(exposed, new RegExp(`^# TYPE ${metric} gauge$`, 'm'));
  });

  it('starts NATS with arguments that it takes', { skip: NO_NATS }, () => {
    for (const { args } of containersOf(workload('StatefulSet', 'nats'))) assertNatsTakes(args);
  });
});

/** With a Host header, which `fetch` does not let one choose. */
async function statusOf(
  server: TroupeServer,
  path: string,
  headers: Record<string, string>,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const asking = request(`${server.url}${path}`, { headers }, (response) => {
    void text(response).then(() => resolve(response.statusCode ?? 0), reject);
  });
  asking.on('error', reject).end();
  return await promise;
}
