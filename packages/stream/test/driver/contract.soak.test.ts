import { outlivesPauses } from '../engine/appending.ts';
import { others } from './drivers.ts';
import { readsAsMember } from './group.ts';
import { survivesFaults } from './group-faults.ts';
import { handsOver } from './handing-over.ts';
import { takesBackTooLate } from './late-take-over.ts';
import { leavesNothing } from './nothing-left.ts';
import { sharesGroups } from './rebalance.ts';
import { hasTransactions } from './transactions.ts';
import { endsTransactions } from './transactions-in-doubt.ts';

// What npm test proves of the usual driver alone.
survivesFaults(others);
readsAsMember(others);
hasTransactions(others);
sharesGroups(others);
handsOver(others);
endsTransactions(others);
takesBackTooLate(others);
leavesNothing(others);
outlivesPauses(others);
