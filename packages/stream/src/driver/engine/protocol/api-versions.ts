import type { Request } from './request.ts';

export interface ApiVersionsAsk {
  readonly clientSoftwareName: string;
  readonly clientSoftwareVersion: string;
}

export interface ApiVersionsAnswer {
  readonly errorCode: number;
  readonly apiKeys: readonly {
    readonly apiKey: number;
    readonly minVersion: number;
    readonly maxVersion: number;
  }[];
}

const unsupportedVersion = 35;

/** The header of its answer never has tagged fields: whoever asks does not know yet what the broker speaks. */
export const apiVersions: Request<ApiVersionsAsk, ApiVersionsAnswer> = {
  name: 'ApiVersions',
  key: 18,
  version: 3,
  tagged: { request: true, answer: false },
  write(writer, { clientSoftwareName, clientSoftwareVersion }) {
    writer.compactString(clientSoftwareName).compactString(clientSoftwareVersion).noTags();
  },
  read(reader) {
    const errorCode = reader.int16();
    // A broker that is too old says so in the first version of the answer.
    if (errorCode === unsupportedVersion) return { errorCode, apiKeys: [] };
    const apiKeys = reader.compactArray(() => {
      const apiKey = reader.int16();
      const minVersion = reader.int16();
      const maxVersion = reader.int16();
      reader.skipTags();
      return { apiKey, minVersion, maxVersion };
    });
    return { errorCode, apiKeys };
  },
};
