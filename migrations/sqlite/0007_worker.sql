-- What stands behind the door and the worker: idempotency, audit and its seals, outbox, notifications, the lease, day
-- summaries for the reports, archive runs, backups and doctor's results.

-- The stored outcome of a command. Refusals are not stored and are judged again.
CREATE TABLE idempotency_keys (
    site_id TEXT NOT NULL,
    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    use_case TEXT NOT NULL,
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    outcome TEXT NOT NULL CHECK (json_valid(outcome)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (site_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_created ON idempotency_keys (site_id, created_at);

-- Who did what, when, where and why. `action` is a word (CREATE, ORDER_FULFILLED, STOCK_RESTORED), `details` a sentence.
-- On Postgres a lower `seq` may be committed after a higher one: see audit_seals.
CREATE TABLE audit_log (
    site_id TEXT NOT NULL,
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    use_case TEXT NOT NULL,
    action TEXT NOT NULL,
    entity TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    details TEXT NOT NULL,
    before_value TEXT CHECK (json_valid(before_value)),
    after_value TEXT CHECK (json_valid(after_value)),
    actor_role TEXT NOT NULL,
    actor_id BLOB CHECK (length(actor_id) = 16),
    actor_name TEXT,
    terminal_id BLOB CHECK (length(terminal_id) = 16),
    override_by BLOB CHECK (length(override_by) = 16),
    reason TEXT CHECK (length(reason) <= 500)
) STRICT;
CREATE INDEX audit_log_at ON audit_log (site_id, at, seq);
CREATE INDEX audit_log_entity ON audit_log (site_id, entity, entity_id, seq);

-- The hash chain, written by the worker: each seal covers the rows from_seq to to_seq. On Postgres to_seq may be sealed only when
-- every transaction that ran while it was the highest number given out has ended. Seals stay when rows are archived.
CREATE TABLE audit_seals (
    site_id TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 1),
    from_seq INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    row_count INTEGER NOT NULL CHECK (row_count >= 1),
    previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    sealed_at INTEGER NOT NULL,
    PRIMARY KEY (site_id, seq),
    CONSTRAINT audit_seals_range CHECK (from_seq <= to_seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX audit_seals_from ON audit_seals (site_id, from_seq);
CREATE UNIQUE INDEX audit_seals_to ON audit_seals (site_id, to_seq);

-- One row for each event of the Emits column. `order_sequence` counts within the order; events of no order have neither.
CREATE TABLE outbox (
    site_id TEXT NOT NULL,
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id BLOB CHECK (length(order_id) = 16),
    order_sequence INTEGER CHECK (order_sequence >= 1),
    event TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    priority INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    next_try_at INTEGER,
    sent_at INTEGER,
    parked_at INTEGER,
    last_error TEXT,
    CONSTRAINT outbox_order_sequence CHECK ((order_id IS NULL) = (order_sequence IS NULL)),
    CONSTRAINT outbox_ended_once CHECK (sent_at IS NULL OR parked_at IS NULL)
) STRICT;
CREATE UNIQUE INDEX outbox_order ON outbox (site_id, order_id, order_sequence);
CREATE INDEX outbox_open ON outbox (site_id, priority DESC, seq) WHERE sent_at IS NULL AND parked_at IS NULL;
CREATE INDEX outbox_parked ON outbox (site_id, parked_at) WHERE parked_at IS NOT NULL;

-- What a person is told. One per outbox row, channel and recipient, so that delivering twice has one effect.
CREATE TABLE notifications (
    site_id TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    outbox_seq INTEGER NOT NULL,
    channel TEXT NOT NULL DEFAULT 'in_app' CHECK (channel IN ('in_app', 'sms', 'email')),
    recipient_kind TEXT NOT NULL CHECK (recipient_kind IN ('customer', 'kitchen', 'delivery', 'admin')),
    recipient_id BLOB CHECK (length(recipient_id) = 16),
    order_id BLOB CHECK (length(order_id) = 16),
    event TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    read_at INTEGER,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX notifications_once ON notifications (site_id, outbox_seq, channel, recipient_kind);
CREATE INDEX notifications_unread ON notifications (site_id, recipient_kind, created_at) WHERE read_at IS NULL;
CREATE INDEX notifications_order ON notifications (site_id, order_id, created_at);

-- One worker at a time. `fence` rises with every new holder; a frozen holder that wakes finds a higher one.
CREATE TABLE worker_lease (
    site_id TEXT NOT NULL,
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL CHECK (fence >= 1),
    acquired_at INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (site_id, name)
) STRICT, WITHOUT ROWID;

-- Which business days are summed up; a day is summed again while it is not `complete`.
CREATE TABLE day_summaries (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    complete INTEGER NOT NULL DEFAULT FALSE CHECK (complete IN (0, 1)),
    orders_placed INTEGER NOT NULL,
    orders_completed INTEGER NOT NULL,
    orders_cancelled INTEGER NOT NULL,
    orders_rejected INTEGER NOT NULL,
    orders_expired INTEGER NOT NULL,
    stray_captured INTEGER NOT NULL DEFAULT 0,
    stray_refunded INTEGER NOT NULL DEFAULT 0,
    wasted_units INTEGER NOT NULL DEFAULT 0,
    computed_at INTEGER NOT NULL,
    PRIMARY KEY (site_id, business_date)
) STRICT, WITHOUT ROWID;

CREATE TABLE day_sales (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    method TEXT NOT NULL,
    fulfilment TEXT NOT NULL,
    orders INTEGER NOT NULL,
    gross INTEGER NOT NULL,
    discount INTEGER NOT NULL,
    tax INTEGER NOT NULL,
    delivery_charge INTEGER NOT NULL,
    captured INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    net INTEGER NOT NULL,
    PRIMARY KEY (site_id, business_date, method, fulfilment)
) STRICT, WITHOUT ROWID;

CREATE TABLE day_items (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    item_id BLOB NOT NULL CHECK (length(item_id) = 16),
    item_name TEXT NOT NULL,
    category_name TEXT NOT NULL,
    orders INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    gross INTEGER NOT NULL,
    discount INTEGER NOT NULL,
    tax INTEGER NOT NULL,
    voided INTEGER NOT NULL,
    restocked INTEGER NOT NULL,
    wasted INTEGER NOT NULL,
    PRIMARY KEY (site_id, business_date, item_id)
) STRICT, WITHOUT ROWID;

-- Volume and speed of service by hour of the local day. station_id is all zeros for the order as a whole. The histograms map
-- whole seconds (as text) to counts: from received to ready, and late against the promise.
CREATE TABLE day_hours (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    hour_of_day INTEGER NOT NULL CHECK (hour_of_day BETWEEN 0 AND 23),
    station_id BLOB NOT NULL CHECK (length(station_id) = 16),
    orders INTEGER NOT NULL,
    gross INTEGER NOT NULL,
    served INTEGER NOT NULL,
    seconds_sum INTEGER NOT NULL,
    seconds_histogram TEXT NOT NULL CHECK (json_valid(seconds_histogram)),
    late INTEGER NOT NULL,
    PRIMARY KEY (site_id, business_date, hour_of_day, station_id)
) STRICT, WITHOUT ROWID;

-- A run that moves old rows to a file. The row is inserted as `running`, the rows are deleted, and it is marked `done`, all in one
-- transaction; only then do the triggers (0008) let rows older than `before_at` go. `transaction_mark` is filled by the store.
CREATE TABLE archive_runs (
    site_id TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    state TEXT NOT NULL CHECK (state IN ('running', 'done')),
    before_at INTEGER NOT NULL,
    file_name TEXT NOT NULL,
    file_hash BLOB,
    row_counts TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(row_counts)),
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    started_by BLOB CHECK (length(started_by) = 16),
    transaction_mark INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX archive_runs_running ON archive_runs (site_id) WHERE state = 'running';

CREATE TABLE backups (
    site_id TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    file_name TEXT NOT NULL,
    size_bytes INTEGER,
    file_hash BLOB,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    error TEXT,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX backups_started ON backups (site_id, started_at);

-- Results of doctor; `violations` lists the first rows that disagree.
CREATE TABLE doctor_runs (
    site_id TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    healthy INTEGER CHECK (healthy IN (0, 1)),
    violations TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(violations)),
    unsealed_audit_rows INTEGER,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX doctor_runs_started ON doctor_runs (site_id, started_at);
