import { hasAdmin } from './admin.ts';
import { appends } from './append.ts';
import { readsAsMember } from './group.ts';
import { leavesNothing } from './nothing-left.ts';
import { readsPartitions } from './partitions.ts';
import { sharesGroups } from './rebalance.ts';
import { hasTransactions } from './transactions.ts';

// The longest first: they go on side by side.
sharesGroups();
readsAsMember();
hasTransactions();
appends();
leavesNothing();
readsPartitions();
hasAdmin();
