import { ConsulError } from './consul-error.ts';

/** Consul does not know what was named. */
export class NotFoundError extends ConsulError {
  constructor(operation: string, text: string) {
    super(operation, 404, text, { code: 'not-found' });
  }
}
