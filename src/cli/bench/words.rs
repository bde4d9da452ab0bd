//! What the help of `servery bench` says: what each figure means, and how it is taken.

/// The help.
pub const ABOUT: &str = "\
Measure how fast the house is on this machine and store, beside the limit of bare SQL.

Works on a store of its own beside the given one: a new folder next to the SQLite file, so that the same disk is \
measured, or a new schema in the same Postgres database (the role must be allowed to create one). It is removed at \
the end, also after Ctrl-C. Progress is shown on standard error; --json prints one document, with times in \
microseconds. Other work on the machine changes every figure but the ratios: the load average is printed with them.

ORDERS: one line for each case of processes, clients and sites. A client places an order of three dishes and has it \
paid, as a kiosk does it, through the one door: two commands, two commits; then the next one. Their carts are filled \
before the clock runs.
  ORDERS/S  orders placed and paid in a second, from the first one's start to the last one's end in all processes
  P50, P99  half, and 99 of 100, of the orders took no longer from being placed to their payment's acknowledgement
  WORST     the longest of them
  BARE/S    the limit: the same rows written by hand, one statement a table, in as many commits, with the same \
durability, on the same store, without rules, pool or answer. A process has one connection to an SQLite file, and as \
many as clients to Postgres; processes on one file take the product's lock
  RATIO     ORDERS/S by BARE/S. Both are measured in short slices in turn, so that a slow moment of the machine hits \
both
  The statements of an order are counted, those that begin and end transactions included; on Postgres each is a round \
trip.

FEED: one process pays an order, another shows the \"now serving\" board of 120x40 in the real runtime. From the \
instant at which the payment was acknowledged to the one at which the last byte of the frame with the order was \
handed over, by the machine's monotonic clock. Nothing else changes meanwhile.

KEYS: the real kitchen board with 500 tickets at 120x40 in the real runtime; the keys move the selection. From the key \
event to the last byte of its frame; drawing alone is the part from the layout to the last byte. The way through a \
terminal or a network is not in it.

ROLES: each role is started five times as a process of its own in a pseudo-terminal of 120x40.
  FIRST FRAME  from starting the process to the last byte of the first frame, median and worst
  MEMORY       resident memory (VmRSS, with the program's own file), when it has settled
  IDLE         processor time in percent of one core, over 20 seconds in which nothing happens but the roles' own \
heartbeats; all roles run at once. The worker has no screen
  Memory and processor time are read from /proc, and left out where there is none.";
