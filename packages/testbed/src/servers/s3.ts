import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { InvalidArgumentError } from '@quorate/core';
import { Server } from '../processes/server.ts';
import { answerOf } from './answers.ts';
import { hasExtendedAttributes } from './extended-attributes.ts';
import type { S3Credentials, S3Region } from './s3-region.ts';
import { portsFor, type Site } from './site.ts';
import { makeVersionedBucket } from './versioned-bucket.ts';
import { checkWebhook } from './webhook.ts';

export interface S3Options {
  /** One gateway for each: `['us-east-1', 'eu-west-1']`. */
  readonly regions: readonly string[];
  /**
   * Where the gateways POST an event for each object that is made or removed: `http://127.0.0.1:8080/events`. Somebody must
   * listen there when a gateway starts. An event is sent once, never again, whatever the answer: list what may be missing.
   */
  readonly events?: string;
  /** The first region's port; the others follow it. Free ports by default. */
  readonly port?: number;
}

/** S3 gateways over folders, one for each region; each keeps the versions of its objects. */
export class S3 {
  readonly regions: readonly S3Region[];
  /** The same for all regions, made for this bed. */
  readonly credentials: S3Credentials;

  static async plan(site: Site, { regions, events, port }: S3Options): Promise<S3> {
    if (events !== undefined) await checkWebhook(events);
    const ports = await portsFor(site, regions.length, port);
    const credentials = { accessKeyId: 'quorate', secretAccessKey: randomBytes(18).toString('base64url') };
    return new S3(
      regions.map((region, index) => gateway(site, region, ports[index] ?? 0, credentials, events)),
      credentials,
    );
  }

  private constructor(regions: readonly S3Region[], credentials: S3Credentials) {
    this.regions = regions;
    this.credentials = credentials;
  }

  get servers(): readonly Server[] {
    return this.regions.map(({ server }) => server);
  }

  get environment(): Record<string, string> {
    const variables: Record<string, string> = {
      QUORATE_S3_ACCESS_KEY_ID: this.credentials.accessKeyId,
      QUORATE_S3_SECRET_ACCESS_KEY: this.credentials.secretAccessKey,
    };
    for (const { region, endpoint, bucket } of this.regions) {
      const name = `QUORATE_S3_${region.toUpperCase().replaceAll('-', '_')}`;
      variables[name] = endpoint;
      variables[`${name}_BUCKET`] = bucket;
    }
    return variables;
  }

  region(name: string): S3Region {
    const found = this.regions.find(({ region }) => region === name);
    if (!found)
      throw new InvalidArgumentError('region', `one of ${this.regions.map(({ region }) => region).join(', ')}`, name);
    return found;
  }
}

function gateway(site: Site, region: string, port: number, credentials: S3Credentials, events?: string): S3Region {
  const address = `127.0.0.1:${port}`;
  const endpoint = `http://${address}`;
  const bucket = `quorate-${region}`;
  const name = `s3-${region}`;
  // The gateway moves into the folder of its objects: paths must not depend on where it stands.
  const folder = join(site.warden.folder, name);
  const versitygw = site.program('versitygw').path;
  const objects = join(folder, 'objects');
  let sidecar = false;
  let bucketMade = false;
  const server = new Server(
    {
      name,
      address,
      command: versitygw,
      get args() {
        const metadata = sidecar ? ['--sidecar', join(folder, 'attributes')] : [];
        const hook = events === undefined ? [] : ['--event-webhook-url', events];
        return [
          ...['--port', address, '--region', region, '--health', '/health', '--quiet', ...hook],
          ...['posix', '--versioning-dir', join(folder, 'versions'), ...metadata, objects],
        ];
      },
      // In the environment, not among the arguments, which any user of the machine can read.
      env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
      ports: [port],
      files: { 'objects/.keep': '', 'versions/.keep': '', 'attributes/.keep': '' },
      prepare: async (_folder, launcher, signal) => {
        sidecar = !(await hasExtendedAttributes({ versitygw, objects, launcher, signal }));
        if (sidecar) process.emitWarning(withSidecar(name, site), { code: 'QUORATE_S3_SIDECAR' });
      },
      ready: async (signal) => {
        if ((await answerOf(`${endpoint}/health`, signal)) === undefined) return false;
        if (!bucketMade) await makeVersionedBucket({ region, endpoint, credentials }, bucket, signal);
        bucketMade = true;
        return true;
      },
    },
    site,
  );
  return {
    region,
    endpoint,
    credentials,
    bucket,
    server,
    get sidecar() {
      return sidecar;
    },
  };
}

function withSidecar(name: string, { disk, warden }: Site): string {
  const [place, advice] =
    disk === undefined
      ? [`the file system of ${warden.folder}`, 'Set TMPDIR to a folder on one that has them: ext4, xfs, btrfs, APFS.']
      : ['its disk', 'Leave the option "disk" out, or use Linux 6.6 or newer.'];
  return `${name}: ${place} has no extended attributes: an object that is put again after a delete answers 404. ${advice}`;
}
