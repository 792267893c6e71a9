declare module 'cluster-key-slot' {
  /** In which of the 16,384 slots of a cluster a key is. */
  const slotOf: (key: string) => number;
  export default slotOf;
}
