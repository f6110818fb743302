/** How a fleet is reached, and what this member of it is called. Checked by the server's schema. */
import { z } from 'zod';
import { setting } from '../config/setting.ts';

/** A part of a subject: no dots, no wildcards. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const NAME_REMEDY = 'Must be 1 to 64 of A-Z a-z 0-9 _ -';

const SERVER = /^(?:(?:nats|tls):\/\/)?[^\s/?#]+$/;

export const natsSchema = z.strictObject({
  servers: setting(
    z.array(z.string().regex(SERVER, 'Must be an address, as nats://host:4222')).max(64).default([]),
    {
      flag: '--nats <url>',
      help: 'NATS server of the fleet that this one belongs to, as nats://host:4222 (default: none)',
      kind: 'list',
      secret: true, // may hold a user and a password
    },
  ),
  fleet: setting(z.string().regex(NAME, NAME_REMEDY).default('troupe'), {
    flag: '--fleet <name>',
    help: 'name of the fleet, with which all subjects begin (default: troupe)',
  }),
  node: setting(
    z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,48}$/, 'Must be 1 to 48 of A-Z a-z 0-9 _ -')
      .optional(),
    {
      flag: '--node-name <name>',
      help: 'what this member of the fleet is called, before a number of its own (default: the name of the host)',
    },
  ),
  credentialsFile: setting(z.string().min(1).optional(), {
    flag: '--nats-creds <file>',
    help: 'credentials of NATS: user JWT and seed',
  }),
  nkeyFile: setting(z.string().min(1).optional(), {
    flag: '--nats-nkey <file>',
    help: 'NKey seed of a user of NATS',
  }),
  caFile: setting(z.string().min(1).optional(), {
    flag: '--nats-ca <file>',
    help: 'certificates by which the NATS server is known; turns TLS on (default: those of Node)',
  }),
  certificateFile: setting(z.string().min(1).optional(), {
    flag: '--nats-cert <file>',
    help: 'certificate that this one shows to the NATS server; turns TLS on',
  }),
  keyFile: setting(z.string().min(1).optional(), {
    flag: '--nats-key <file>',
    help: 'its private key',
  }),
});

export type FleetSettings = z.output<typeof natsSchema>;
