import { type Acl, checkAcl } from '@quorate/zookeeper';

/** For all that is kept in nodes. */
export interface AccessOptions {
  /**
   * Who may see it, take part in it and change it: the ACL of every node that is made for it, missing parents included. All who
   * take part must be allowed everything, and say the same. Default: that of the session (`connect`).
   */
  readonly acl?: readonly Acl[] | undefined;
}

export function checkAccess(acl: readonly Acl[] | undefined): readonly Acl[] | undefined {
  if (acl !== undefined) checkAcl(acl);
  return acl;
}
