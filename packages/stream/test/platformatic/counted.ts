import { subscribe } from 'node:diagnostics_channel';

/** How many requests of this kind, by its key in Kafka's protocol, the library has sent by now, on whatever connection. */
export function counted(key: number): () => number {
  let count = 0;
  subscribe('tracing:plt:kafka:connections:api:start', (message) => {
    if ((message as { readonly apiKey: number }).apiKey === key) count += 1;
  });
  return () => count;
}
