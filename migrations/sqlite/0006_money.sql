-- Payment attempts, refunds, the gateways' messages, and the till.

-- One try to pay, written and committed before the gateway is called. Open means created or authorized (`unknown` marks an open one
-- whose answer never came). `refunded` is the sum of its refunds that have not failed; triggers keep it (0008), never write it.
CREATE TABLE payment_attempts (
    site_id TEXT NOT NULL,
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    id BLOB NOT NULL CHECK (length(id) = 16),
    method TEXT NOT NULL CHECK (method IN ('card', 'upi', 'cash', 'none', 'manual')),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    status TEXT NOT NULL CHECK (status IN ('created', 'authorized', 'captured', 'failed', 'voided')),
    unknown INTEGER NOT NULL DEFAULT FALSE CHECK (unknown IN (0, 1)),
    unresolved INTEGER NOT NULL DEFAULT FALSE CHECK (unresolved IN (0, 1)),
    stray INTEGER NOT NULL DEFAULT FALSE CHECK (stray IN (0, 1)),
    refunded INTEGER NOT NULL DEFAULT 0,
    idempotency_key TEXT NOT NULL,
    gateway TEXT,
    gateway_order_id TEXT,
    gateway_payment_id TEXT,
    brand TEXT CHECK (length(brand) <= 40),
    last_four TEXT CHECK (length(last_four) = 4),
    reason TEXT CHECK (length(reason) <= 500),
    gateway_response TEXT CHECK (json_valid(gateway_response)),
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    actor_role TEXT NOT NULL,
    actor_id BLOB CHECK (length(actor_id) = 16),
    terminal_id BLOB CHECK (length(terminal_id) = 16),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    captured_at INTEGER,
    ended_at INTEGER,
    next_check_at INTEGER,
    PRIMARY KEY (site_id, order_id, id),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    CONSTRAINT payment_attempts_amount CHECK (amount > 0 OR method = 'none'),
    CONSTRAINT payment_attempts_unknown CHECK (NOT unknown OR status IN ('created', 'authorized')),
    CONSTRAINT payment_attempts_unresolved CHECK (NOT unresolved OR status = 'failed'),
    CONSTRAINT payment_attempts_stray CHECK (NOT stray OR status = 'captured'),
    CONSTRAINT payment_attempts_captured CHECK ((status = 'captured') = (captured_at IS NOT NULL)),
    CONSTRAINT payment_attempts_ended CHECK ((ended_at IS NULL) = (status IN ('created', 'authorized'))),
    CONSTRAINT payment_attempts_refunded CHECK (refunded >= 0 AND refunded <= CASE WHEN status = 'captured' THEN amount ELSE 0 END)
) STRICT;
CREATE UNIQUE INDEX payment_attempts_open ON payment_attempts (site_id, order_id) WHERE status IN ('created', 'authorized');
CREATE UNIQUE INDEX payment_attempts_captured ON payment_attempts (site_id, order_id) WHERE status = 'captured' AND NOT stray;
CREATE UNIQUE INDEX payment_attempts_key ON payment_attempts (site_id, idempotency_key);
CREATE UNIQUE INDEX payment_attempts_gateway_payment ON payment_attempts (site_id, gateway_payment_id) WHERE gateway_payment_id IS NOT NULL;
CREATE UNIQUE INDEX payment_attempts_gateway_order ON payment_attempts (site_id, gateway_order_id) WHERE gateway_order_id IS NOT NULL AND NOT stray;
CREATE INDEX payment_attempts_check ON payment_attempts (site_id, next_check_at) WHERE status IN ('created', 'authorized');
-- Given up without an answer, and asked about again in case they were captured all the same.
CREATE INDEX payment_attempts_given_up ON payment_attempts (site_id, next_check_at) WHERE unresolved;

-- Money on its way back. `lines` is a list of {line_id, quantity, stock}.
CREATE TABLE refunds (
    site_id TEXT NOT NULL,
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    id BLOB NOT NULL CHECK (length(id) = 16),
    attempt_id BLOB NOT NULL CHECK (length(attempt_id) = 16),
    method TEXT NOT NULL CHECK (method IN ('card', 'upi', 'cash', 'manual')),
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'settled', 'failed')),
    transition TEXT NOT NULL,
    reason TEXT CHECK (length(reason) <= 500),
    lines TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(lines)),
    idempotency_key TEXT NOT NULL,
    gateway_refund_id TEXT,
    gateway_response TEXT CHECK (json_valid(gateway_response)),
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    last_error TEXT,
    actor_role TEXT NOT NULL,
    actor_id BLOB CHECK (length(actor_id) = 16),
    terminal_id BLOB CHECK (length(terminal_id) = 16),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    next_try_at INTEGER,
    ended_at INTEGER,
    PRIMARY KEY (site_id, order_id, id),
    FOREIGN KEY (site_id, order_id, attempt_id) REFERENCES payment_attempts (site_id, order_id, id),
    CONSTRAINT refunds_ended CHECK ((status = 'pending') = (ended_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX refunds_key ON refunds (site_id, idempotency_key);
CREATE UNIQUE INDEX refunds_gateway ON refunds (site_id, gateway_refund_id) WHERE gateway_refund_id IS NOT NULL;
CREATE INDEX refunds_pending ON refunds (site_id, next_try_at) WHERE status = 'pending';
CREATE INDEX refunds_created ON refunds (site_id, created_at);

-- Messages of a gateway, each taken once.
CREATE TABLE webhook_events (
    site_id TEXT NOT NULL,
    gateway TEXT NOT NULL,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    received_at INTEGER NOT NULL,
    PRIMARY KEY (site_id, gateway, event_id)
) STRICT, WITHOUT ROWID;

-- What Health shows of each gateway.
CREATE TABLE gateway_states (
    site_id TEXT NOT NULL,
    gateway TEXT NOT NULL,
    last_ok_at INTEGER,
    last_error_at INTEGER,
    last_error TEXT,
    PRIMARY KEY (site_id, gateway)
) STRICT, WITHOUT ROWID;

-- The memory of the simulated provider, which outlives a process as a real one would. Written by the simulated gateway only, in
-- transactions of its own; no rule of the house reads it.
CREATE TABLE simulated_charges (
    site_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('card', 'upi')),
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('created', 'authorized', 'captured', 'failed', 'voided')),
    reason TEXT,
    gateway_order_id TEXT NOT NULL,
    gateway_payment_id TEXT,
    brand TEXT,
    last_four TEXT,
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND amount),
    known_from INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (site_id, idempotency_key)
) STRICT, WITHOUT ROWID;
-- A customer may pay one UPI code more than once; each payment is a charge of its own.
CREATE INDEX simulated_charges_order ON simulated_charges (site_id, gateway_order_id);
CREATE UNIQUE INDEX simulated_charges_payment ON simulated_charges (site_id, gateway_payment_id) WHERE gateway_payment_id IS NOT NULL;

CREATE TABLE simulated_refunds (
    site_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    charge_key TEXT NOT NULL,
    gateway_refund_id TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    status TEXT NOT NULL CHECK (status IN ('pending', 'settled', 'failed')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (site_id, idempotency_key),
    FOREIGN KEY (site_id, charge_key) REFERENCES simulated_charges (site_id, idempotency_key)
) STRICT, WITHOUT ROWID;

-- A till shift. `balance` = opening_float and the sum of its movements, kept by the same UPDATE that takes `last_movement`
-- (WHERE closed_at IS NULL: no cash without an open shift). Closed ones are immutable.
CREATE TABLE till_shifts (
    site_id TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    terminal_id BLOB NOT NULL CHECK (length(terminal_id) = 16),
    opened_by BLOB NOT NULL CHECK (length(opened_by) = 16),
    opened_at INTEGER NOT NULL,
    opening_float INTEGER NOT NULL CHECK (opening_float >= 0),
    balance INTEGER NOT NULL,
    last_movement INTEGER NOT NULL DEFAULT 0,
    closed_by BLOB CHECK (length(closed_by) = 16),
    closed_at INTEGER,
    counted INTEGER CHECK (counted >= 0),
    expected INTEGER,
    over_short INTEGER,
    note TEXT CHECK (length(note) <= 500),
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, terminal_id) REFERENCES terminals (site_id, id),
    CONSTRAINT till_shifts_closing CHECK ((closed_at IS NULL AND closed_by IS NULL AND counted IS NULL AND expected IS NULL AND over_short IS NULL)
        OR (closed_at IS NOT NULL AND closed_by IS NOT NULL AND counted IS NOT NULL AND expected IS NOT NULL AND over_short IS NOT NULL
            AND expected = balance AND over_short = counted - expected))
) STRICT;
CREATE UNIQUE INDEX till_shifts_open ON till_shifts (site_id, terminal_id) WHERE closed_at IS NULL;
CREATE INDEX till_shifts_opened ON till_shifts (site_id, opened_at);

-- Cash in (+) and out (-) of the drawer, numbered without gaps within the shift. The float is till_shifts.opening_float.
CREATE TABLE drawer_movements (
    site_id TEXT NOT NULL,
    shift_id BLOB NOT NULL CHECK (length(shift_id) = 16),
    seq INTEGER NOT NULL CHECK (seq >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('sale', 'refund', 'drop', 'cash_in', 'payout')),
    amount INTEGER NOT NULL,
    balance_after INTEGER NOT NULL,
    tendered INTEGER,
    order_id BLOB CHECK (length(order_id) = 16),
    refund_id BLOB CHECK (length(refund_id) = 16),
    actor_role TEXT NOT NULL,
    actor_id BLOB CHECK (length(actor_id) = 16),
    reason TEXT CHECK (length(reason) <= 500),
    at INTEGER NOT NULL,
    PRIMARY KEY (site_id, shift_id, seq),
    FOREIGN KEY (site_id, shift_id) REFERENCES till_shifts (site_id, id),
    CONSTRAINT drawer_movements_sign CHECK (CASE WHEN kind IN ('sale', 'cash_in') THEN amount > 0 ELSE amount < 0 END),
    CONSTRAINT drawer_movements_for_order CHECK (kind NOT IN ('sale', 'refund') OR order_id IS NOT NULL),
    CONSTRAINT drawer_movements_tendered CHECK (tendered IS NULL OR (kind = 'sale' AND tendered >= amount))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX drawer_movements_sale ON drawer_movements (site_id, order_id) WHERE kind = 'sale';
CREATE UNIQUE INDEX drawer_movements_refund ON drawer_movements (site_id, refund_id) WHERE refund_id IS NOT NULL;
