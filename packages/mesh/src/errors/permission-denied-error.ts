import { ConsulError } from './consul-error.ts';

/** The token is unknown to Consul, or does not allow this. */
export class PermissionDeniedError extends ConsulError {
  constructor(operation: string, status: number, text: string) {
    super(operation, status, text, {
      code: 'permission-denied',
      advice: 'Is the token right? `policies` of @quorate/mesh says what each operation needs',
    });
  }
}
