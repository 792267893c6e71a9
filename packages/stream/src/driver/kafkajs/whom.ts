import type { Whom } from './ask.ts';
import type { Link } from './link.ts';

/** What every broker knows. */
export function anyOf(link: Link): Whom {
  return { find: () => link.any(), forget: () => {} };
}

/** The one that changes what the cluster is made of, or hands that on. It may be another one at any time. */
export function controllerOf(link: Link): Whom {
  return {
    find: async () => {
      await link.look([]);
      return link.controller();
    },
    forget: () => {},
  };
}
