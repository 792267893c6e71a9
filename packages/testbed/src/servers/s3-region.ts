import type { Server } from '../processes/server.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** One region: everything an S3 client needs to be told. */
export interface S3Region {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: S3Credentials;
  /** A bucket that is there from the start, with versioning on. */
  readonly bucket: string;
  /**
   * Whether the gateway keeps what it knows of an object in a file beside it, because the file system has no extended
   * attributes. Then what is put after a delete cannot be read. False until the server has started.
   */
  readonly sidecar: boolean;
  readonly server: Server;
}
