-- Payment attempts, refunds, the gateways' messages, and the till.

-- One try to pay, written and committed before the gateway is called. Open means created or authorized (`unknown` marks an open one
-- whose answer never came). `refunded` is the sum of its refunds that have not failed; triggers keep it (0008), never write it.
CREATE TABLE payment_attempts (
    site_id TEXT NOT NULL,
    order_id UUID NOT NULL,
    id UUID NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('card', 'upi', 'cash', 'none', 'manual')),
    amount BIGINT NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    status TEXT NOT NULL CHECK (status IN ('created', 'authorized', 'captured', 'failed', 'voided')),
    unknown BOOLEAN NOT NULL DEFAULT FALSE,
    unresolved BOOLEAN NOT NULL DEFAULT FALSE,
    stray BOOLEAN NOT NULL DEFAULT FALSE,
    refunded BIGINT NOT NULL DEFAULT 0,
    idempotency_key TEXT NOT NULL,
    gateway TEXT,
    gateway_order_id TEXT,
    gateway_payment_id TEXT,
    brand TEXT CHECK (length(brand) <= 40),
    last_four TEXT CHECK (length(last_four) = 4),
    reason TEXT CHECK (length(reason) <= 500),
    gateway_response JSONB,
    tries BIGINT NOT NULL DEFAULT 0 CHECK (tries >= 0),
    actor_role TEXT NOT NULL,
    actor_id UUID,
    terminal_id UUID,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    captured_at BIGINT,
    ended_at BIGINT,
    next_check_at BIGINT,
    PRIMARY KEY (site_id, order_id, id),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    CONSTRAINT payment_attempts_amount CHECK (amount > 0 OR method = 'none'),
    CONSTRAINT payment_attempts_unknown CHECK (NOT unknown OR status IN ('created', 'authorized')),
    CONSTRAINT payment_attempts_unresolved CHECK (NOT unresolved OR status = 'failed'),
    CONSTRAINT payment_attempts_stray CHECK (NOT stray OR status = 'captured'),
    CONSTRAINT payment_attempts_captured CHECK ((status = 'captured') = (captured_at IS NOT NULL)),
    CONSTRAINT payment_attempts_ended CHECK ((ended_at IS NULL) = (status IN ('created', 'authorized'))),
    CONSTRAINT payment_attempts_refunded CHECK (refunded >= 0 AND refunded <= CASE WHEN status = 'captured' THEN amount ELSE 0 END)
);
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
    order_id UUID NOT NULL,
    id UUID NOT NULL,
    attempt_id UUID NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('card', 'upi', 'cash', 'manual')),
    amount BIGINT NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'settled', 'failed')),
    transition TEXT NOT NULL,
    reason TEXT CHECK (length(reason) <= 500),
    lines JSONB NOT NULL DEFAULT '[]',
    idempotency_key TEXT NOT NULL,
    gateway_refund_id TEXT,
    gateway_response JSONB,
    tries BIGINT NOT NULL DEFAULT 0 CHECK (tries >= 0),
    last_error TEXT,
    actor_role TEXT NOT NULL,
    actor_id UUID,
    terminal_id UUID,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    next_try_at BIGINT,
    ended_at BIGINT,
    PRIMARY KEY (site_id, order_id, id),
    FOREIGN KEY (site_id, order_id, attempt_id) REFERENCES payment_attempts (site_id, order_id, id),
    CONSTRAINT refunds_ended CHECK ((status = 'pending') = (ended_at IS NULL))
);
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
    payload JSONB NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, gateway, event_id)
);

-- What Health shows of each gateway.
CREATE TABLE gateway_states (
    site_id TEXT NOT NULL,
    gateway TEXT NOT NULL,
    last_ok_at BIGINT,
    last_error_at BIGINT,
    last_error TEXT,
    PRIMARY KEY (site_id, gateway)
);

-- The memory of the simulated provider, which outlives a process as a real one would. Written by the simulated gateway only, in
-- transactions of its own; no rule of the house reads it.
CREATE TABLE simulated_charges (
    site_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('card', 'upi')),
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('created', 'authorized', 'captured', 'failed', 'voided')),
    reason TEXT,
    gateway_order_id TEXT NOT NULL,
    gateway_payment_id TEXT,
    brand TEXT,
    last_four TEXT,
    refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND amount),
    known_from BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, idempotency_key)
);
-- A customer may pay one UPI code more than once; each payment is a charge of its own.
CREATE INDEX simulated_charges_order ON simulated_charges (site_id, gateway_order_id);
CREATE UNIQUE INDEX simulated_charges_payment ON simulated_charges (site_id, gateway_payment_id) WHERE gateway_payment_id IS NOT NULL;

CREATE TABLE simulated_refunds (
    site_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    charge_key TEXT NOT NULL,
    gateway_refund_id TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    status TEXT NOT NULL CHECK (status IN ('pending', 'settled', 'failed')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, idempotency_key),
    FOREIGN KEY (site_id, charge_key) REFERENCES simulated_charges (site_id, idempotency_key)
);

-- A till shift. `balance` = opening_float and the sum of its movements, kept by the same UPDATE that takes `last_movement`
-- (WHERE closed_at IS NULL: no cash without an open shift). Closed ones are immutable.
CREATE TABLE till_shifts (
    site_id TEXT NOT NULL,
    id UUID NOT NULL,
    terminal_id UUID NOT NULL,
    opened_by UUID NOT NULL,
    opened_at BIGINT NOT NULL,
    opening_float BIGINT NOT NULL CHECK (opening_float >= 0),
    balance BIGINT NOT NULL,
    last_movement BIGINT NOT NULL DEFAULT 0,
    closed_by UUID,
    closed_at BIGINT,
    counted BIGINT CHECK (counted >= 0),
    expected BIGINT,
    over_short BIGINT,
    note TEXT CHECK (length(note) <= 500),
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, terminal_id) REFERENCES terminals (site_id, id),
    CONSTRAINT till_shifts_closing CHECK ((closed_at IS NULL AND closed_by IS NULL AND counted IS NULL AND expected IS NULL AND over_short IS NULL)
        OR (closed_at IS NOT NULL AND closed_by IS NOT NULL AND counted IS NOT NULL AND expected IS NOT NULL AND over_short IS NOT NULL
            AND expected = balance AND over_short = counted - expected))
);
CREATE UNIQUE INDEX till_shifts_open ON till_shifts (site_id, terminal_id) WHERE closed_at IS NULL;
CREATE INDEX till_shifts_opened ON till_shifts (site_id, opened_at);

-- Cash in (+) and out (-) of the drawer, numbered without gaps within the shift. The float is till_shifts.opening_float.
CREATE TABLE drawer_movements (
    site_id TEXT NOT NULL,
    shift_id UUID NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('sale', 'refund', 'drop', 'cash_in', 'payout')),
    amount BIGINT NOT NULL,
    balance_after BIGINT NOT NULL,
    tendered BIGINT,
    order_id UUID,
    refund_id UUID,
    actor_role TEXT NOT NULL,
    actor_id UUID,
    reason TEXT CHECK (length(reason) <= 500),
    at BIGINT NOT NULL,
    PRIMARY KEY (site_id, shift_id, seq),
    FOREIGN KEY (site_id, shift_id) REFERENCES till_shifts (site_id, id),
    CONSTRAINT drawer_movements_sign CHECK (CASE WHEN kind IN ('sale', 'cash_in') THEN amount > 0 ELSE amount < 0 END),
    CONSTRAINT drawer_movements_for_order CHECK (kind NOT IN ('sale', 'refund') OR order_id IS NOT NULL),
    CONSTRAINT drawer_movements_tendered CHECK (tendered IS NULL OR (kind = 'sale' AND tendered >= amount))
);
CREATE UNIQUE INDEX drawer_movements_sale ON drawer_movements (site_id, order_id) WHERE kind = 'sale';
CREATE UNIQUE INDEX drawer_movements_refund ON drawer_movements (site_id, refund_id) WHERE refund_id IS NOT NULL;
