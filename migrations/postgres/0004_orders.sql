-- Carts, orders and their lines, holds on stock, counters, and the history of each order.

-- A cart never touches stock, slots, promotions or numbers. `locked` while its order is not paid, `consumed` afterwards.
CREATE TABLE carts (
    site_id TEXT NOT NULL,
    id UUID NOT NULL,
    customer_id UUID NOT NULL,
    terminal_id UUID,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'locked', 'consumed')),
    order_id UUID,
    fulfilment TEXT CHECK (fulfilment IN ('pickup', 'dine_in', 'delivery')),
    called_name TEXT CHECK (length(called_name) <= 40),
    note TEXT CHECK (length(note) <= 1000),
    promotion_id UUID,
    training BOOLEAN NOT NULL DEFAULT FALSE,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, customer_id) REFERENCES customers (site_id, id),
    CONSTRAINT carts_locked CHECK (state NOT IN ('locked', 'consumed') OR order_id IS NOT NULL)
);
CREATE INDEX carts_customer ON carts (site_id, customer_id);
CREATE INDEX carts_updated ON carts (site_id, updated_at) WHERE state = 'open';

-- `unit_price_seen` and `name_seen` are what the customer saw; Place compares them with the menu and asks when they differ.
-- `options` is the list of chosen option choice ids with what was seen of them.
CREATE TABLE cart_lines (
    site_id TEXT NOT NULL,
    cart_id UUID NOT NULL,
    id UUID NOT NULL,
    position BIGINT NOT NULL,
    item_id UUID NOT NULL,
    options JSONB NOT NULL DEFAULT '[]',
    quantity BIGINT NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    unit_price_seen BIGINT NOT NULL,
    name_seen TEXT NOT NULL,
    note TEXT CHECK (length(note) <= 500),
    PRIMARY KEY (site_id, cart_id, id),
    FOREIGN KEY (site_id, cart_id) REFERENCES carts (site_id, id) ON DELETE CASCADE
);

-- One order. `version` rises by 1 with every event, and order_history has a row for each version. `paid` is is_paid: a capture
-- that is not stray covered what was due then, whatever was refunded since. `due` = total less what voided lines took off.
-- `event_sequence` is the number of the order's newest outbox row. Snapshot columns never change (0008).
CREATE TABLE orders (
    site_id TEXT NOT NULL,
    id UUID NOT NULL,
    order_number TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    sequence BIGINT NOT NULL CHECK (sequence >= 1),
    pickup_number TEXT NOT NULL CHECK (length(pickup_number) >= 3),
    training BOOLEAN NOT NULL DEFAULT FALSE,
    status TEXT NOT NULL CHECK (status IN ('pending', 'received', 'confirmed', 'preparing', 'ready', 'out_for_delivery', 'completed', 'cancelled', 'rejected', 'expired')),
    reason TEXT CHECK (reason IN ('customer', 'payment_failed', 'insufficient_stock', 'staff', 'no_show', 'void', 'rejected', 'accept_timeout')),
    reason_text TEXT CHECK (length(reason_text) <= 500),
    version BIGINT NOT NULL DEFAULT 1 CHECK (version >= 1),
    event_sequence BIGINT NOT NULL DEFAULT 0 CHECK (event_sequence >= 0),
    fulfilment TEXT NOT NULL CHECK (fulfilment IN ('pickup', 'dine_in', 'delivery')),
    method TEXT NOT NULL CHECK (method IN ('card', 'upi', 'cash')),
    paid BOOLEAN NOT NULL DEFAULT FALSE,
    paid_at BIGINT,
    customer_id UUID NOT NULL,
    cart_id UUID,
    terminal_id UUID,
    called_name TEXT CHECK (length(called_name) <= 40),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    subtotal BIGINT NOT NULL CHECK (subtotal >= 0),
    discount BIGINT NOT NULL DEFAULT 0,
    tax BIGINT NOT NULL DEFAULT 0 CHECK (tax >= 0),
    tax_inclusive BOOLEAN NOT NULL,
    delivery_charge BIGINT NOT NULL DEFAULT 0 CHECK (delivery_charge >= 0),
    total BIGINT NOT NULL,
    due BIGINT NOT NULL,
    price_trace JSONB NOT NULL,
    note TEXT CHECK (length(note) <= 1000),
    staff_note TEXT CHECK (length(staff_note) <= 1000),
    delivery_address_encrypted BYTEA,
    receipt_name TEXT CHECK (length(receipt_name) <= 100),
    receipt_address_encrypted BYTEA,
    slot_name TEXT,
    slot_claimed BOOLEAN NOT NULL DEFAULT FALSE,
    promotion_id UUID,
    retry_of UUID,
    expires_at BIGINT,
    hold_extended BOOLEAN NOT NULL DEFAULT FALSE,
    on_hold_until BIGINT,
    priority BIGINT NOT NULL DEFAULT 0,
    uncollected BOOLEAN NOT NULL DEFAULT FALSE,
    late_payment BOOLEAN NOT NULL DEFAULT FALSE,
    assignment_failures BIGINT NOT NULL DEFAULT 0 CHECK (assignment_failures >= 0),
    assignment_escalated BOOLEAN NOT NULL DEFAULT FALSE,
    investigate BOOLEAN NOT NULL DEFAULT FALSE,
    estimated_ready_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    received_at BIGINT,
    confirmed_at BIGINT,
    preparing_at BIGINT,
    ready_at BIGINT,
    out_at BIGINT,
    ended_at BIGINT,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, customer_id) REFERENCES customers (site_id, id),
    CONSTRAINT orders_number_form CHECK (order_number = CASE WHEN training THEN 'TRN-' ELSE 'ORD-' END || replace(business_date, '-', '') || '-' || CASE WHEN sequence < 1000 THEN substr(CAST(sequence + 1000 AS TEXT), 2) ELSE CAST(sequence AS TEXT) END),
    CONSTRAINT orders_sum CHECK (total = subtotal - discount + CASE WHEN tax_inclusive THEN 0 ELSE tax END + delivery_charge),
    CONSTRAINT orders_discount CHECK (discount BETWEEN 0 AND subtotal),
    CONSTRAINT orders_due CHECK (due BETWEEN 0 AND total),
    CONSTRAINT orders_paid_at CHECK (paid = (paid_at IS NOT NULL)),
    CONSTRAINT orders_completed_paid CHECK (status <> 'completed' OR paid),
    CONSTRAINT orders_prepaid_visible CHECK (method = 'cash' OR paid OR status IN ('pending', 'cancelled', 'expired')),
    CONSTRAINT orders_cash_never_pending CHECK (method <> 'cash' OR status NOT IN ('pending', 'expired')),
    CONSTRAINT orders_pending_unpaid CHECK (status NOT IN ('pending', 'expired') OR NOT paid),
    CONSTRAINT orders_reason CHECK (CASE WHEN status IN ('cancelled', 'rejected') THEN reason IS NOT NULL WHEN status = 'expired' THEN TRUE ELSE reason IS NULL END),
    CONSTRAINT orders_ended CHECK ((ended_at IS NOT NULL) = (status IN ('completed', 'cancelled', 'rejected', 'expired'))),
    CONSTRAINT orders_received CHECK (received_at IS NOT NULL OR status IN ('pending', 'cancelled', 'expired')),
    CONSTRAINT orders_address CHECK (fulfilment <> 'delivery' OR delivery_address_encrypted IS NOT NULL),
    CONSTRAINT orders_out CHECK (status <> 'out_for_delivery' OR fulfilment = 'delivery'),
    CONSTRAINT orders_uncollected CHECK (NOT uncollected OR (status = 'completed' AND fulfilment <> 'delivery')),
    CONSTRAINT orders_slot CHECK (NOT slot_claimed OR slot_name IS NOT NULL)
);
CREATE UNIQUE INDEX orders_number ON orders (site_id, business_date, training, sequence);
CREATE INDEX orders_page ON orders (site_id, created_at DESC, id DESC);
CREATE INDEX orders_customer ON orders (site_id, customer_id, created_at DESC, id DESC);
-- SQLite uses a partial index only where the query repeats its WHERE word for word.
CREATE INDEX orders_in_kitchen ON orders (site_id, status, received_at, id) WHERE status IN ('received', 'confirmed', 'preparing', 'ready', 'out_for_delivery');
CREATE INDEX orders_pending ON orders (site_id, expires_at, id) WHERE status = 'pending';

-- One line, as it was sold. unit_price = base_price and the deltas of the chosen options. `consumption` is what one unit of the
-- line used of each stock item at Place: [{"stock_item_id", "units"}]. Only the four counters change.
CREATE TABLE order_lines (
    site_id TEXT NOT NULL,
    order_id UUID NOT NULL,
    id UUID NOT NULL,
    position BIGINT NOT NULL,
    item_id UUID NOT NULL,
    item_code TEXT NOT NULL,
    item_name TEXT NOT NULL,
    category_name TEXT NOT NULL,
    base_price BIGINT NOT NULL CHECK (base_price > 0),
    unit_price BIGINT NOT NULL CHECK (unit_price >= 0),
    options JSONB NOT NULL DEFAULT '[]',
    quantity BIGINT NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    line_total BIGINT NOT NULL,
    discount_share BIGINT NOT NULL DEFAULT 0,
    tax_share BIGINT NOT NULL DEFAULT 0 CHECK (tax_share >= 0),
    total_share BIGINT NOT NULL CHECK (total_share >= 0),
    tax_class_name TEXT,
    tax_rate_ppm BIGINT NOT NULL DEFAULT 0 CHECK (tax_rate_ppm BETWEEN 0 AND 1000000),
    consumption JSONB NOT NULL DEFAULT '[]',
    station_id UUID,
    prep_minutes BIGINT NOT NULL DEFAULT 0,
    diet TEXT NOT NULL DEFAULT 'non_veg' CHECK (diet IN ('veg', 'vegan', 'egg', 'non_veg')),
    allergens JSONB NOT NULL DEFAULT '[]',
    note TEXT CHECK (length(note) <= 500),
    voided BIGINT NOT NULL DEFAULT 0,
    restocked BIGINT NOT NULL DEFAULT 0,
    wasted BIGINT NOT NULL DEFAULT 0,
    done BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, order_id, id),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    CONSTRAINT order_lines_sum CHECK (line_total = unit_price * quantity),
    CONSTRAINT order_lines_discount CHECK (discount_share BETWEEN 0 AND line_total),
    CONSTRAINT order_lines_voided CHECK (voided BETWEEN 0 AND quantity),
    CONSTRAINT order_lines_given_back CHECK (restocked >= 0 AND wasted >= 0 AND restocked + wasted <= quantity),
    CONSTRAINT order_lines_done CHECK (done BETWEEN 0 AND quantity)
);

-- A hold on stock; `round` numbers the holds that an order took on one stock item after an earlier one ended. `taken` is what was
-- held at first. `quantity` is what the state speaks of: voiding units of a held line lowers it (they leave `held` one by one),
-- and once the row is not held it never changes. `restocked` and `wasted` count what came back, or was thrown away, after commit.
CREATE TABLE reservations (
    site_id TEXT NOT NULL,
    order_id UUID NOT NULL,
    stock_item_id UUID NOT NULL,
    round BIGINT NOT NULL DEFAULT 1 CHECK (round >= 1),
    taken BIGINT NOT NULL CHECK (taken >= 1),
    quantity BIGINT NOT NULL,
    state TEXT NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'committed', 'released', 'wasted')),
    restocked BIGINT NOT NULL DEFAULT 0,
    wasted BIGINT NOT NULL DEFAULT 0,
    held_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (site_id, order_id, stock_item_id, round),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    FOREIGN KEY (site_id, stock_item_id) REFERENCES stock_items (site_id, id),
    CONSTRAINT reservations_quantity CHECK (quantity BETWEEN 0 AND taken),
    CONSTRAINT reservations_given_back CHECK (restocked >= 0 AND wasted >= 0 AND restocked + wasted <= quantity),
    CONSTRAINT reservations_given_back_after CHECK (state = 'committed' OR (restocked = 0 AND wasted = 0)),
    CONSTRAINT reservations_ended CHECK ((state = 'held') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX reservations_held ON reservations (site_id, stock_item_id, order_id) WHERE state = 'held';

-- One row for each version of an order: the row of the transition table that moved it ('T3'), who, where, why. from_status is NULL
-- for Place. `details` holds what else the event said (lines, eta).
CREATE TABLE order_history (
    site_id TEXT NOT NULL,
    order_id UUID NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    from_status TEXT CHECK (from_status IN ('pending', 'received', 'confirmed', 'preparing', 'ready', 'out_for_delivery', 'completed', 'cancelled', 'rejected', 'expired')),
    to_status TEXT NOT NULL CHECK (to_status IN ('pending', 'received', 'confirmed', 'preparing', 'ready', 'out_for_delivery', 'completed', 'cancelled', 'rejected', 'expired')),
    transition TEXT NOT NULL,
    actor_role TEXT NOT NULL CHECK (actor_role IN ('customer', 'kitchen', 'delivery', 'admin', 'system', 'gateway')),
    actor_id UUID,
    terminal_id UUID,
    override_by UUID,
    reason TEXT CHECK (length(reason) <= 500),
    details JSONB NOT NULL DEFAULT '{}',
    at BIGINT NOT NULL,
    PRIMARY KEY (site_id, order_id, version),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    CONSTRAINT order_history_first CHECK (from_status IS NOT NULL OR version = 1)
);

-- Order numbers: one counter per site and business day (and one of its own for training). The last lock that Place takes.
CREATE TABLE number_counters (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    training BOOLEAN NOT NULL DEFAULT FALSE,
    last_sequence BIGINT NOT NULL CHECK (last_sequence >= 1),
    PRIMARY KEY (site_id, business_date, training)
);

-- How many orders hold a place in a slot of a day; the cap is a setting, so that it may be lowered below the count.
CREATE TABLE slot_counters (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    slot_name TEXT NOT NULL,
    claimed BIGINT NOT NULL CHECK (claimed >= 0),
    PRIMARY KEY (site_id, business_date, slot_name)
);

-- The use of a promotion by an order: held with the order, used when it is paid, released with the hold.
CREATE TABLE promotion_uses (
    site_id TEXT NOT NULL,
    order_id UUID NOT NULL,
    promotion_id UUID NOT NULL,
    customer_id UUID NOT NULL,
    discount BIGINT NOT NULL CHECK (discount >= 0),
    state TEXT NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'used', 'released')),
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (site_id, order_id),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    FOREIGN KEY (site_id, promotion_id) REFERENCES promotions (site_id, id)
);
CREATE INDEX promotion_uses_customer ON promotion_uses (site_id, promotion_id, customer_id) WHERE state IN ('held', 'used');
