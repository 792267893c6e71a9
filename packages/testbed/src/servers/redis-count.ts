/** How many servers of Redis a bed may have: a primary, and replicas for the rest. */
export const redisCounts: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9];
