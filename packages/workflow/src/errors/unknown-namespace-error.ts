import { QuorateError } from '@quorate/core';

/** There is no such namespace. Nothing was changed. */
export class UnknownNamespaceError extends QuorateError {
  readonly namespace: string;

  constructor(namespace: string, options: { readonly cause?: unknown } = {}) {
    super(`there is no namespace "${namespace}": check its name, or connect with createNamespace`, {
      ...options,
      code: 'unknown-namespace',
      happened: 'no',
    });
    this.namespace = namespace;
  }
}
