/** Connections for fetching images, kept and shared by policy. */
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { ImagePolicy } from '../image-policy.ts';
import { guardedConnector } from './guarded-connector.ts';
import { lookupInner, lookupPublic } from './name-lookup.ts';
import { isPublicAddress } from './public-address.ts';

/** Finding the name's addresses is part of it. */
const CONNECT_TIMEOUT_MS = 3_000;

const agents = new Map<string, Dispatcher>();

export function agentFor(policy: Pick<ImagePolicy, 'privateAddresses' | 'proxy'>): Dispatcher {
  const key = policy.proxy ?? String(policy.privateAddresses);
  const agent = agents.get(key) ?? makeAgent(policy);
  agents.set(key, agent);
  return agent;
}

function makeAgent({ privateAddresses, proxy }: Pick<ImagePolicy, 'privateAddresses' | 'proxy'>): Dispatcher {
  // The proxy is the operator's own: where it is, and what it lets through, is for him to say.
  if (proxy !== undefined) return new ProxyAgent({ uri: proxy, connectTimeout: CONNECT_TIMEOUT_MS });
  const [resolve, isAllowed] = privateAddresses
    ? ([lookupInner, () => true] as const)
    : ([lookupPublic, isPublicAddress] as const);
  return new Agent({ connect: guardedConnector({ timeoutMs: CONNECT_TIMEOUT_MS, resolve, isAllowed }) });
}
