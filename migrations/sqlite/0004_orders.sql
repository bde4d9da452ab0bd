-- Carts, orders and their lines, holds on stock, counters, and the history of each order.

-- A cart never touches stock, slots, promotions or numbers. `locked` while its order is not paid, `consumed` afterwards.
CREATE TABLE carts (
    site_id TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    customer_id BLOB NOT NULL CHECK (length(customer_id) = 16),
    terminal_id BLOB CHECK (length(terminal_id) = 16),
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'locked', 'consumed')),
    order_id BLOB CHECK (length(order_id) = 16),
    fulfilment TEXT CHECK (fulfilment IN ('pickup', 'dine_in', 'delivery')),
    called_name TEXT CHECK (length(called_name) <= 40),
    note TEXT CHECK (length(note) <= 1000),
    promotion_id BLOB CHECK (length(promotion_id) = 16),
    training INTEGER NOT NULL DEFAULT FALSE CHECK (training IN (0, 1)),
    version INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, customer_id) REFERENCES customers (site_id, id),
    CONSTRAINT carts_locked CHECK (state NOT IN ('locked', 'consumed') OR order_id IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX carts_customer ON carts (site_id, customer_id);
CREATE INDEX carts_updated ON carts (site_id, updated_at) WHERE state = 'open';

-- `unit_price_seen` and `name_seen` are what the customer saw; Place compares them with the menu and asks when they differ.
-- `options` is the list of chosen option choice ids with what was seen of them.
CREATE TABLE cart_lines (
    site_id TEXT NOT NULL,
    cart_id BLOB NOT NULL CHECK (length(cart_id) = 16),
    id BLOB NOT NULL CHECK (length(id) = 16),
    position INTEGER NOT NULL,
    item_id BLOB NOT NULL CHECK (length(item_id) = 16),
    options TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(options)),
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    unit_price_seen INTEGER NOT NULL,
    name_seen TEXT NOT NULL,
    note TEXT CHECK (length(note) <= 500),
    PRIMARY KEY (site_id, cart_id, id),
    FOREIGN KEY (site_id, cart_id) REFERENCES carts (site_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- One order. `version` rises by 1 with every event, and order_history has a row for each version. `paid` is is_paid: a capture
-- that is not stray covered what was due then, whatever was refunded since. `due` = total less what voided lines took off.
-- `event_sequence` is the number of the order's newest outbox row. Snapshot columns never change (0008).
CREATE TABLE orders (
    site_id TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    order_number TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    sequence INTEGER NOT NULL CHECK (sequence >= 1),
    pickup_number TEXT NOT NULL CHECK (length(pickup_number) >= 3),
    training INTEGER NOT NULL DEFAULT FALSE CHECK (training IN (0, 1)),
    status TEXT NOT NULL CHECK (status IN ('pending', 'received', 'confirmed', 'preparing', 'ready', 'out_for_delivery', 'completed', 'cancelled', 'rejected', 'expired')),
    reason TEXT CHECK (reason IN ('customer', 'payment_failed', 'insufficient_stock', 'staff', 'no_show', 'void', 'rejected', 'accept_timeout')),
    reason_text TEXT CHECK (length(reason_text) <= 500),
    version INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1),
    event_sequence INTEGER NOT NULL DEFAULT 0 CHECK (event_sequence >= 0),
    fulfilment TEXT NOT NULL CHECK (fulfilment IN ('pickup', 'dine_in', 'delivery')),
    method TEXT NOT NULL CHECK (method IN ('card', 'upi', 'cash')),
    paid INTEGER NOT NULL DEFAULT FALSE CHECK (paid IN (0, 1)),
    paid_at INTEGER,
    customer_id BLOB NOT NULL CHECK (length(customer_id) = 16),
    cart_id BLOB CHECK (length(cart_id) = 16),
    terminal_id BLOB CHECK (length(terminal_id) = 16),
    called_name TEXT CHECK (length(called_name) <= 40),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    subtotal INTEGER NOT NULL CHECK (subtotal >= 0),
    discount INTEGER NOT NULL DEFAULT 0,
    tax INTEGER NOT NULL DEFAULT 0 CHECK (tax >= 0),
    tax_inclusive INTEGER NOT NULL CHECK (tax_inclusive IN (0, 1)),
    delivery_charge INTEGER NOT NULL DEFAULT 0 CHECK (delivery_charge >= 0),
    total INTEGER NOT NULL,
    due INTEGER NOT NULL,
    price_trace TEXT NOT NULL CHECK (json_valid(price_trace)),
    note TEXT CHECK (length(note) <= 1000),
    staff_note TEXT CHECK (length(staff_note) <= 1000),
    delivery_address_encrypted BLOB,
    receipt_name TEXT CHECK (length(receipt_name) <= 100),
    receipt_address_encrypted BLOB,
    slot_name TEXT,
    slot_claimed INTEGER NOT NULL DEFAULT FALSE CHECK (slot_claimed IN (0, 1)),
    promotion_id BLOB CHECK (length(promotion_id) = 16),
    retry_of BLOB CHECK (length(retry_of) = 16),
    expires_at INTEGER,
    hold_extended INTEGER NOT NULL DEFAULT FALSE CHECK (hold_extended IN (0, 1)),
    on_hold_until INTEGER,
    priority INTEGER NOT NULL DEFAULT 0,
    uncollected INTEGER NOT NULL DEFAULT FALSE CHECK (uncollected IN (0, 1)),
    late_payment INTEGER NOT NULL DEFAULT FALSE CHECK (late_payment IN (0, 1)),
    assignment_failures INTEGER NOT NULL DEFAULT 0 CHECK (assignment_failures >= 0),
    assignment_escalated INTEGER NOT NULL DEFAULT FALSE CHECK (assignment_escalated IN (0, 1)),
    investigate INTEGER NOT NULL DEFAULT FALSE CHECK (investigate IN (0, 1)),
    estimated_ready_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    received_at INTEGER,
    confirmed_at INTEGER,
    preparing_at INTEGER,
    ready_at INTEGER,
    out_at INTEGER,
    ended_at INTEGER,
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
) STRICT;
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
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    id BLOB NOT NULL CHECK (length(id) = 16),
    position INTEGER NOT NULL,
    item_id BLOB NOT NULL CHECK (length(item_id) = 16),
    item_code TEXT NOT NULL,
    item_name TEXT NOT NULL,
    category_name TEXT NOT NULL,
    base_price INTEGER NOT NULL CHECK (base_price > 0),
    unit_price INTEGER NOT NULL CHECK (unit_price >= 0),
    options TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(options)),
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    line_total INTEGER NOT NULL,
    discount_share INTEGER NOT NULL DEFAULT 0,
    tax_share INTEGER NOT NULL DEFAULT 0 CHECK (tax_share >= 0),
    total_share INTEGER NOT NULL CHECK (total_share >= 0),
    tax_class_name TEXT,
    tax_rate_ppm INTEGER NOT NULL DEFAULT 0 CHECK (tax_rate_ppm BETWEEN 0 AND 1000000),
    consumption TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(consumption)),
    station_id BLOB CHECK (length(station_id) = 16),
    prep_minutes INTEGER NOT NULL DEFAULT 0,
    diet TEXT NOT NULL DEFAULT 'non_veg' CHECK (diet IN ('veg', 'vegan', 'egg', 'non_veg')),
    allergens TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(allergens)),
    note TEXT CHECK (length(note) <= 500),
    voided INTEGER NOT NULL DEFAULT 0,
    restocked INTEGER NOT NULL DEFAULT 0,
    wasted INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, order_id, id),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    CONSTRAINT order_lines_sum CHECK (line_total = unit_price * quantity),
    CONSTRAINT order_lines_discount CHECK (discount_share BETWEEN 0 AND line_total),
    CONSTRAINT order_lines_voided CHECK (voided BETWEEN 0 AND quantity),
    CONSTRAINT order_lines_given_back CHECK (restocked >= 0 AND wasted >= 0 AND restocked + wasted <= quantity),
    CONSTRAINT order_lines_done CHECK (done BETWEEN 0 AND quantity)
) STRICT, WITHOUT ROWID;

-- A hold on stock; `round` numbers the holds that an order took on one stock item after an earlier one ended. `taken` is what was
-- held at first. `quantity` is what the state speaks of: voiding units of a held line lowers it (they leave `held` one by one),
-- and once the row is not held it never changes. `restocked` and `wasted` count what came back, or was thrown away, after commit.
CREATE TABLE reservations (
    site_id TEXT NOT NULL,
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    stock_item_id BLOB NOT NULL CHECK (length(stock_item_id) = 16),
    round INTEGER NOT NULL DEFAULT 1 CHECK (round >= 1),
    taken INTEGER NOT NULL CHECK (taken >= 1),
    quantity INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'committed', 'released', 'wasted')),
    restocked INTEGER NOT NULL DEFAULT 0,
    wasted INTEGER NOT NULL DEFAULT 0,
    held_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (site_id, order_id, stock_item_id, round),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    FOREIGN KEY (site_id, stock_item_id) REFERENCES stock_items (site_id, id),
    CONSTRAINT reservations_quantity CHECK (quantity BETWEEN 0 AND taken),
    CONSTRAINT reservations_given_back CHECK (restocked >= 0 AND wasted >= 0 AND restocked + wasted <= quantity),
    CONSTRAINT reservations_given_back_after CHECK (state = 'committed' OR (restocked = 0 AND wasted = 0)),
    CONSTRAINT reservations_ended CHECK ((state = 'held') = (ended_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX reservations_held ON reservations (site_id, stock_item_id, order_id) WHERE state = 'held';

-- One row for each version of an order: the row of the transition table that moved it ('T3'), who, where, why. from_status is NULL
-- for Place. `details` holds what else the event said (lines, eta).
CREATE TABLE order_history (
    site_id TEXT NOT NULL,
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    version INTEGER NOT NULL CHECK (version >= 1),
    from_status TEXT CHECK (from_status IN ('pending', 'received', 'confirmed', 'preparing', 'ready', 'out_for_delivery', 'completed', 'cancelled', 'rejected', 'expired')),
    to_status TEXT NOT NULL CHECK (to_status IN ('pending', 'received', 'confirmed', 'preparing', 'ready', 'out_for_delivery', 'completed', 'cancelled', 'rejected', 'expired')),
    transition TEXT NOT NULL,
    actor_role TEXT NOT NULL CHECK (actor_role IN ('customer', 'kitchen', 'delivery', 'admin', 'system', 'gateway')),
    actor_id BLOB CHECK (length(actor_id) = 16),
    terminal_id BLOB CHECK (length(terminal_id) = 16),
    override_by BLOB CHECK (length(override_by) = 16),
    reason TEXT CHECK (length(reason) <= 500),
    details TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(details)),
    at INTEGER NOT NULL,
    PRIMARY KEY (site_id, order_id, version),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    CONSTRAINT order_history_first CHECK (from_status IS NOT NULL OR version = 1)
) STRICT, WITHOUT ROWID;

-- Order numbers: one counter per site and business day (and one of its own for training). The last lock that Place takes.
CREATE TABLE number_counters (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    training INTEGER NOT NULL DEFAULT FALSE CHECK (training IN (0, 1)),
    last_sequence INTEGER NOT NULL CHECK (last_sequence >= 1),
    PRIMARY KEY (site_id, business_date, training)
) STRICT, WITHOUT ROWID;

-- How many orders hold a place in a slot of a day; the cap is a setting, so that it may be lowered below the count.
CREATE TABLE slot_counters (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    slot_name TEXT NOT NULL,
    claimed INTEGER NOT NULL CHECK (claimed >= 0),
    PRIMARY KEY (site_id, business_date, slot_name)
) STRICT, WITHOUT ROWID;

-- The use of a promotion by an order: held with the order, used when it is paid, released with the hold.
CREATE TABLE promotion_uses (
    site_id TEXT NOT NULL,
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    promotion_id BLOB NOT NULL CHECK (length(promotion_id) = 16),
    customer_id BLOB NOT NULL CHECK (length(customer_id) = 16),
    discount INTEGER NOT NULL CHECK (discount >= 0),
    state TEXT NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'used', 'released')),
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (site_id, order_id),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    FOREIGN KEY (site_id, promotion_id) REFERENCES promotions (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX promotion_uses_customer ON promotion_uses (site_id, promotion_id, customer_id) WHERE state IN ('held', 'used');
