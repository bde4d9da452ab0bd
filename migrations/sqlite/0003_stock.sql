-- Stock: counted things, what a sale uses of them, and the ledger of what moved.

-- available = on_hand - reserved. on_hand = opening + the sum of the item's movements; reserved = the sum of held
-- reservations (0005). `last_movement` is the number of the item's newest ledger row: taking it is part of the same UPDATE.
CREATE TABLE stock_items (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 50),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    unit TEXT NOT NULL DEFAULT 'piece' CHECK (length(unit) BETWEEN 1 AND 20),
    tracked INTEGER NOT NULL DEFAULT TRUE CHECK (tracked IN (0, 1)),
    opening INTEGER NOT NULL DEFAULT 0 CHECK (opening >= 0),
    on_hand INTEGER NOT NULL DEFAULT 0,
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    low_mark INTEGER NOT NULL DEFAULT 0 CHECK (low_mark >= 0),
    last_movement INTEGER NOT NULL DEFAULT 0,
    active INTEGER NOT NULL DEFAULT TRUE CHECK (active IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (site_id, id),
    CONSTRAINT stock_items_available CHECK (reserved <= on_hand)
) STRICT;
CREATE UNIQUE INDEX stock_items_code ON stock_items (site_id, code);

-- What one sale of a menu item, or of an option choice, uses. No row: untracked.
CREATE TABLE consumption (
    site_id TEXT NOT NULL,
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('item', 'choice')),
    subject_id BLOB NOT NULL CHECK (length(subject_id) = 16),
    stock_item_id BLOB NOT NULL CHECK (length(stock_item_id) = 16),
    units INTEGER NOT NULL CHECK (units BETWEEN 1 AND 1000000),
    PRIMARY KEY (site_id, subject_kind, subject_id, stock_item_id),
    FOREIGN KEY (site_id, stock_item_id) REFERENCES stock_items (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX consumption_stock_item ON consumption (site_id, stock_item_id);

-- The ledger: one row for each change of on_hand, numbered without gaps within its stock item. `quantity` is signed; it is 0
-- only for the waste of a unit that had left the stock already. The opening count is stock_items.opening and moves nothing.
CREATE TABLE stock_movements (
    site_id TEXT NOT NULL,
    stock_item_id BLOB NOT NULL CHECK (length(stock_item_id) = 16),
    seq INTEGER NOT NULL CHECK (seq >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('receive', 'recount', 'adjust', 'waste', 'commit', 'restock')),
    quantity INTEGER NOT NULL,
    on_hand_after INTEGER NOT NULL CHECK (on_hand_after >= 0),
    reserved_after INTEGER NOT NULL CHECK (reserved_after >= 0),
    order_id BLOB CHECK (length(order_id) = 16),
    line_id BLOB CHECK (length(line_id) = 16),
    actor_role TEXT NOT NULL,
    actor_id BLOB CHECK (length(actor_id) = 16),
    terminal_id BLOB CHECK (length(terminal_id) = 16),
    reason TEXT CHECK (length(reason) <= 500),
    at INTEGER NOT NULL,
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
) STRICT, WITHOUT ROWID;
CREATE INDEX stock_movements_order ON stock_movements (site_id, order_id) WHERE order_id IS NOT NULL;
