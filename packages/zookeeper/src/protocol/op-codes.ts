/** The numbers of the operations a client sends. */
export const op = {
  delete: 2,
  exists: 3,
  get: 4,
  set: 5,
  getAcl: 6,
  setAcl: 7,
  sync: 9,
  ping: 11,
  children: 12,
  childNames: 8,
  check: 13,
  multi: 14,
  create: 15,
  reconfig: 16,
  removeWatches: 18,
  createContainer: 19,
  createTtl: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  ephemerals: 103,
  countDescendants: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  close: -11,
  error: -1,
} as const;

/** The request numbers that the protocol keeps for itself: they answer to no request in the queue. */
export const reservedXid = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const;
