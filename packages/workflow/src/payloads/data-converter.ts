import { fileURLToPath } from 'node:url';
import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { sizeLimit } from './size-limit.ts';

/** The path of a module beside this one, as source or as what is made of it. */
export function besides(module: string): string {
  return fileURLToPath(new URL(`${module}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
}

export const encodedFailures: string = besides('./encoded-failures');

export interface Conversion {
  readonly codecs: readonly PayloadCodec[];
  readonly maxPayloadBytes: number;
}

export function dataConverter({ codecs, maxPayloadBytes }: Conversion, where: 'client' | 'worker'): DataConverter {
  return {
    payloadCodecs: [...codecs, sizeLimit(maxPayloadBytes, where)],
    ...(codecs.length > 0 && { failureConverterPath: encodedFailures }),
  };
}
