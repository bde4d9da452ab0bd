-- Archive: what runs that moved old rows to a file (archive_runs, 0007) carried forward, so that every sum still proves without the
-- rows themselves. Written only in the transaction that deletes the rows; the first row that is left follows from these.

-- Of each stock item: how many movements are gone, which were the first ones, and what they came to together.
CREATE TABLE archived_stock (
    site_id TEXT NOT NULL,
    stock_item_id UUID NOT NULL,
    movements BIGINT NOT NULL CHECK (movements >= 0),
    quantity BIGINT NOT NULL,
    PRIMARY KEY (site_id, stock_item_id),
    FOREIGN KEY (site_id, stock_item_id) REFERENCES stock_items (site_id, id)
);

-- Of each till shift and kind of movement: how many movements of the drawer are gone, the first ones, and their sum.
CREATE TABLE archived_drawers (
    site_id TEXT NOT NULL,
    shift_id UUID NOT NULL,
    kind TEXT NOT NULL,
    movements BIGINT NOT NULL CHECK (movements >= 1),
    amount BIGINT NOT NULL,
    PRIMARY KEY (site_id, shift_id, kind),
    FOREIGN KEY (site_id, shift_id) REFERENCES till_shifts (site_id, id)
);

-- How many orders of a business day are gone.
CREATE TABLE archived_days (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    training BOOLEAN NOT NULL,
    orders BIGINT NOT NULL CHECK (orders >= 1),
    PRIMARY KEY (site_id, business_date, training)
);

-- How many places in slots the orders that are gone had claimed.
CREATE TABLE archived_slots (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    slot_name TEXT NOT NULL,
    claimed BIGINT NOT NULL CHECK (claimed >= 1),
    PRIMARY KEY (site_id, business_date, slot_name)
);

-- How many uses of a promotion are gone with their orders.
CREATE TABLE archived_promotions (
    site_id TEXT NOT NULL,
    promotion_id UUID NOT NULL,
    uses BIGINT NOT NULL CHECK (uses >= 1),
    PRIMARY KEY (site_id, promotion_id)
);

-- The seals whose audit rows are gone; the seals themselves stay.
CREATE TABLE archived_seals (
    site_id TEXT NOT NULL,
    seal BIGINT NOT NULL CHECK (seal >= 1),
    PRIMARY KEY (site_id, seal),
    FOREIGN KEY (site_id, seal) REFERENCES audit_seals (site_id, seq)
);

CREATE INDEX archive_runs_before ON archive_runs (site_id, state, before_at);
