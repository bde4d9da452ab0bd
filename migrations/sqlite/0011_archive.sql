-- Archive: what runs that moved old rows to a file (archive_runs, 0007) carried forward, so that every sum still proves without the
-- rows themselves. Written only in the transaction that deletes the rows; the first row that is left follows from these.

-- Of each stock item: how many movements are gone, which were the first ones, and what they came to together.
CREATE TABLE archived_stock (
    site_id TEXT NOT NULL,
    stock_item_id BLOB NOT NULL CHECK (length(stock_item_id) = 16),
    movements INTEGER NOT NULL CHECK (movements >= 0),
    quantity INTEGER NOT NULL,
    PRIMARY KEY (site_id, stock_item_id),
    FOREIGN KEY (site_id, stock_item_id) REFERENCES stock_items (site_id, id)
) STRICT, WITHOUT ROWID;

-- Of each till shift and kind of movement: how many movements of the drawer are gone, the first ones, and their sum.
CREATE TABLE archived_drawers (
    site_id TEXT NOT NULL,
    shift_id BLOB NOT NULL CHECK (length(shift_id) = 16),
    kind TEXT NOT NULL,
    movements INTEGER NOT NULL CHECK (movements >= 1),
    amount INTEGER NOT NULL,
    PRIMARY KEY (site_id, shift_id, kind),
    FOREIGN KEY (site_id, shift_id) REFERENCES till_shifts (site_id, id)
) STRICT, WITHOUT ROWID;

-- How many orders of a business day are gone.
CREATE TABLE archived_days (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    training INTEGER NOT NULL CHECK (training IN (0, 1)),
    orders INTEGER NOT NULL CHECK (orders >= 1),
    PRIMARY KEY (site_id, business_date, training)
) STRICT, WITHOUT ROWID;

-- How many places in slots the orders that are gone had claimed.
CREATE TABLE archived_slots (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    slot_name TEXT NOT NULL,
    claimed INTEGER NOT NULL CHECK (claimed >= 1),
    PRIMARY KEY (site_id, business_date, slot_name)
) STRICT, WITHOUT ROWID;

-- How many uses of a promotion are gone with their orders.
CREATE TABLE archived_promotions (
    site_id TEXT NOT NULL,
    promotion_id BLOB NOT NULL CHECK (length(promotion_id) = 16),
    uses INTEGER NOT NULL CHECK (uses >= 1),
    PRIMARY KEY (site_id, promotion_id)
) STRICT, WITHOUT ROWID;

-- The seals whose audit rows are gone; the seals themselves stay.
CREATE TABLE archived_seals (
    site_id TEXT NOT NULL,
    seal INTEGER NOT NULL CHECK (seal >= 1),
    PRIMARY KEY (site_id, seal),
    FOREIGN KEY (site_id, seal) REFERENCES audit_seals (site_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX archive_runs_before ON archive_runs (site_id, state, before_at);
