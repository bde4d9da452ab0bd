-- Sites, settings, terminals, staff, sessions, customers: who and where.
--
-- Conventions of every file in this folder
-- - The folders sqlite/ and postgres/ hold the same numbers, and define the same tables with the same columns in the same
--   order and the same indexes, so that one SQL text runs on both (tests/schema.rs compares them). A migration that has
--   been released is never edited; a change is a new number in both folders.
-- - site_id comes first in every key and index. Exceptions: store_meta (one row about the whole store), and on SQLite
--   `seq`, which must be the row id there (audit_log, outbox).
-- - Ids are UUIDv7 made by the program (BLOB of 16 bytes | UUID). Columns named `..at` are instants: microseconds since the
--   Unix epoch, UTC (INTEGER | BIGINT). Money is minor units of the site's currency; rates end in `_ppm` (parts per million);
--   `business_date` is TEXT 'YYYY-MM-DD'; secrets are kept as hashes (`_hash`) or ciphertext (`_encrypted`), as bytes.
-- - Rules that a person may run into have a named constraint, so that a refusal can be told apart by its name.
-- - Words (status, kind, method) are TEXT with a CHECK list and are spelled as in the transition table.
-- - Stored text is untrusted and is only bounded in length here; the program cleans it before it is shown.
-- - The clock, and every id, is passed in: no column has a DEFAULT that reads a clock or makes an id.

-- One row about the store as a whole. `pepper_fingerprint` names the pepper file that the staff hashes need.
CREATE TABLE store_meta (
    singleton INTEGER NOT NULL PRIMARY KEY CHECK (singleton = 1),
    instance_id BLOB NOT NULL CHECK (length(instance_id) = 16),
    kind TEXT NOT NULL CHECK (kind IN ('demo', 'real')),
    pepper_fingerprint BLOB,
    created_at INTEGER NOT NULL
) STRICT;

-- `menu_version`, `settings_version` and `staff_version` rise with every change, so that a screen can keep what it read.
CREATE TABLE sites (
    site_id TEXT NOT NULL CHECK (length(site_id) BETWEEN 1 AND 40),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    time_zone TEXT NOT NULL,
    business_day_cutoff TEXT NOT NULL DEFAULT '04:00' CHECK (length(business_day_cutoff) = 5),
    demo INTEGER NOT NULL DEFAULT FALSE CHECK (demo IN (0, 1)),
    menu_version INTEGER NOT NULL DEFAULT 1,
    settings_version INTEGER NOT NULL DEFAULT 1,
    staff_version INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (site_id)
) STRICT, WITHOUT ROWID;

-- Only what differs from the program's defaults, or was set once.
CREATE TABLE settings (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 100),
    value TEXT NOT NULL CHECK (json_valid(value)),
    updated_at INTEGER NOT NULL,
    updated_by BLOB CHECK (length(updated_by) = 16),
    PRIMARY KEY (site_id, key)
) STRICT, WITHOUT ROWID;

-- A registered screen. `last_seen_at` is its heartbeat, `software_version` what it runs.
CREATE TABLE terminals (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 50),
    role TEXT NOT NULL CHECK (role IN ('kiosk', 'kitchen', 'board', 'console', 'worker')),
    key_hash BLOB,
    exit_pin_hash TEXT,
    training INTEGER NOT NULL DEFAULT FALSE CHECK (training IN (0, 1)),
    preferences TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(preferences)),
    software_version TEXT,
    registered_at INTEGER NOT NULL,
    last_seen_at INTEGER,
    revoked_at INTEGER,
    PRIMARY KEY (site_id, id)
) STRICT;
CREATE UNIQUE INDEX terminals_name ON terminals (site_id, name);

-- `permissions_version` rises when the role changes or the person is deactivated: older sessions are then judged again.
CREATE TABLE staff (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    username TEXT NOT NULL CHECK (length(username) BETWEEN 1 AND 50),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    role TEXT NOT NULL CHECK (role IN ('kitchen', 'delivery', 'admin')),
    password_hash TEXT NOT NULL CHECK (length(password_hash) <= 255),
    pin_hash TEXT CHECK (length(pin_hash) <= 255),
    phone_encrypted BLOB,
    active INTEGER NOT NULL DEFAULT TRUE CHECK (active IN (0, 1)),
    permissions_version INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_seen_at INTEGER,
    PRIMARY KEY (site_id, id)
) STRICT;
CREATE UNIQUE INDEX staff_username ON staff (site_id, username);

-- A guest is one visit at a kiosk; a phone customer comes back. The number itself is only kept as hash and ciphertext.
CREATE TABLE customers (
    site_id TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    kind TEXT NOT NULL CHECK (kind IN ('guest', 'phone')),
    name TEXT CHECK (length(name) <= 100),
    phone_hash BLOB,
    phone_encrypted BLOB,
    language TEXT,
    active INTEGER NOT NULL DEFAULT TRUE CHECK (active IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (site_id, id),
    CONSTRAINT customers_phone_known CHECK (kind = 'guest' OR phone_hash IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX customers_phone ON customers (site_id, phone_hash) WHERE phone_hash IS NOT NULL;

-- Sessions of staff or customers; tokens are kept hashed. A refresh token belongs to a customer's session.
CREATE TABLE sessions (
    site_id TEXT NOT NULL,
    token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
    staff_id BLOB CHECK (length(staff_id) = 16),
    customer_id BLOB CHECK (length(customer_id) = 16),
    terminal_id BLOB CHECK (length(terminal_id) = 16),
    role TEXT NOT NULL CHECK (role IN ('customer', 'kitchen', 'delivery', 'admin')),
    permissions_version INTEGER NOT NULL DEFAULT 1,
    refresh_token_hash BLOB,
    refresh_expires_at INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (site_id, token_hash),
    FOREIGN KEY (site_id, staff_id) REFERENCES staff (site_id, id),
    FOREIGN KEY (site_id, customer_id) REFERENCES customers (site_id, id),
    CONSTRAINT sessions_one_owner CHECK ((staff_id IS NULL) <> (customer_id IS NULL)),
    CONSTRAINT sessions_role CHECK ((role = 'customer') = (customer_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sessions_refresh_token ON sessions (site_id, refresh_token_hash) WHERE refresh_token_hash IS NOT NULL;
CREATE INDEX sessions_staff ON sessions (site_id, staff_id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_expiry ON sessions (site_id, expires_at);

-- One-time passwords: single use, five minutes, tries counted.
CREATE TABLE otp_codes (
    site_id TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    phone_hash BLOB NOT NULL,
    code_hash BLOB NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX otp_codes_phone ON otp_codes (site_id, phone_hash, created_at);

-- Counted before a secret is verified: scope 'login_account', 'login_terminal', 'pin', 'otp', 'requests'; subject is whom.
CREATE TABLE rate_limits (
    site_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    window_started_at INTEGER NOT NULL,
    hits INTEGER NOT NULL DEFAULT 0 CHECK (hits >= 0),
    blocked_until INTEGER,
    PRIMARY KEY (site_id, scope, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX rate_limits_window ON rate_limits (site_id, window_started_at);
