import { keepsSequences, outlivesPauses } from '../engine/appending.ts';
import { commitsAsMember } from '../engine/groups.ts';
import { readsWhatIsThere } from '../engine/reading.ts';
import { hasAdmin } from './admin.ts';
import { appends } from './append.ts';
import { usual } from './drivers.ts';
import { readsAsMember } from './group.ts';
import { survivesFaults, survivesItsBroker } from './group-faults.ts';
import { handsOver } from './handing-over.ts';
import { takesBackTooLate } from './late-take-over.ts';
import { leavesNothing } from './nothing-left.ts';
import { readsPartitions } from './partitions.ts';
import { changesDrivers, sharesGroups } from './rebalance.ts';
import { hasTransactions } from './transactions.ts';
import { endsTransactions } from './transactions-in-doubt.ts';

// These go on side by side, those that take longest early, but none with short deadlines first: a broker that has just started,
// beside other tests, does not answer within a second. Drivers differ in their connections alone: parts that go on for long
// are proven of one of them, and of the others in the soak.
appends();
sharesGroups(usual);
readsAsMember(usual);
handsOver(usual);
survivesFaults(usual);
hasTransactions(usual);
endsTransactions(usual);
takesBackTooLate(usual);
leavesNothing(usual);
readsPartitions();
hasAdmin();
readsWhatIsThere();
commitsAsMember();
keepsSequences();

// These go one after the other: most do something to the broker.
changesDrivers();
outlivesPauses(usual);
survivesItsBroker();
