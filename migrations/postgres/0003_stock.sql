-- Stock: counted things, what a sale uses of them, and the ledger of what moved.

-- available = on_hand - reserved. on_hand = opening + the sum of the item's movements; reserved = the sum of held
-- reservations (0005). `last_movement` is the number of the item's newest ledger row: taking it is part of the same UPDATE.
CREATE TABLE stock_items (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    id UUID NOT NULL,
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 50),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    unit TEXT NOT NULL DEFAULT 'piece' CHECK (length(unit) BETWEEN 1 AND 20),
    tracked BOOLEAN NOT NULL DEFAULT TRUE,
    opening BIGINT NOT NULL DEFAULT 0 CHECK (opening >= 0),
    on_hand BIGINT NOT NULL DEFAULT 0,
    reserved BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    low_mark BIGINT NOT NULL DEFAULT 0 CHECK (low_mark >= 0),
    last_movement BIGINT NOT NULL DEFAULT 0,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, id),
    CONSTRAINT stock_items_available CHECK (reserved <= on_hand)
);
CREATE UNIQUE INDEX stock_items_code ON stock_items (site_id, code);

-- What one sale of a menu item, or of an option choice, uses. No row: untracked.
CREATE TABLE consumption (
    site_id TEXT NOT NULL,
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('item', 'choice')),
    subject_id UUID NOT NULL,
    stock_item_id UUID NOT NULL,
    units BIGINT NOT NULL CHECK (units BETWEEN 1 AND 1000000),
    PRIMARY KEY (site_id, subject_kind, subject_id, stock_item_id),
    FOREIGN KEY (site_id, stock_item_id) REFERENCES stock_items (site_id, id)
);
CREATE INDEX consumption_stock_item ON consumption (site_id, stock_item_id);

-- The ledger: one row for each change of on_hand, numbered without gaps within its stock item. `quantity` is signed; it is 0
-- only for the waste of a unit that had left the stock already. The opening count is stock_items.opening and moves nothing.
CREATE TABLE stock_movements (
    site_id TEXT NOT NULL,
    stock_item_id UUID NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('receive', 'recount', 'adjust', 'waste', 'commit', 'restock')),
    quantity BIGINT NOT NULL,
    on_hand_after BIGINT NOT NULL CHECK (on_hand_after >= 0),
    reserved_after BIGINT NOT NULL CHECK (reserved_after >= 0),
    order_id UUID,
    line_id UUID,
    actor_role TEXT NOT NULL,
    actor_id UUID,
    terminal_id UUID,
    reason TEXT CHECK (length(reason) <= 500),
    at BIGINT NOT NULL,
    PRIMARY KEY (site_id, stock_item_id, seq),
    FOREIGN KEY (site_id, stock_item_id) REFERENCES stock_items (site_id, id),
    CONSTRAINT stock_movements_after CHECK (reserved_after <= on_hand_after),
    CONSTRAINT stock_movements_sign CHECK (CASE kind
        WHEN 'receive' THEN quantity > 0
        WHEN 'restock' THEN quantity > 0
        WHEN 'commit' THEN quantity < 0
        WHEN 'waste' THEN quantity <= 0
        ELSE quantity <> 0 END),
    CONSTRAINT stock_movements_for_order CHECK (kind NOT IN ('commit', 'restock') OR order_id IS NOT NULL)
);
CREATE INDEX stock_movements_order ON stock_movements (site_id, order_id) WHERE order_id IS NOT NULL;
