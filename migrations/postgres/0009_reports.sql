-- Reports: what is summed up for each business day, and which orders have changed since.
--
-- The tables of 0007 that were meant for this were never written to; these take their place.
DROP TABLE day_hours;
DROP TABLE day_items;
DROP TABLE day_sales;
DROP TABLE day_summaries;

-- What changed since it was summed up: an order, or a stock item of which units were thrown away by hand. Triggers write it in the
-- transaction of the change itself, so that no change is ever missed; `changes` rises with each, and the worker takes a mark away
-- only with the number that it saw. Changed days: `business_date` (of the order), and those of all instants from first_at to last_at.
CREATE TABLE report_changes (
    site_id TEXT NOT NULL,
    subject_id UUID NOT NULL,
    business_date TEXT CHECK (business_date LIKE '____-__-__'),
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    changes BIGINT NOT NULL DEFAULT 1 CHECK (changes >= 1),
    PRIMARY KEY (site_id, subject_id)
);
CREATE INDEX report_changes_day ON report_changes (site_id, business_date, subject_id);

-- The zone and cut-off under which the summaries of a site were made: under others they are not valid.
CREATE TABLE report_basis (
    site_id TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    business_day_cutoff TEXT NOT NULL,
    PRIMARY KEY (site_id)
);

-- A day without rows had nothing to sum up. Training orders count nowhere.
-- Orders placed, by where they stand.
CREATE TABLE report_orders (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    orders BIGINT NOT NULL,
    PRIMARY KEY (site_id, business_date, status, reason)
);

-- Sales on the order's day; refunds on the day on which they settled.
CREATE TABLE report_sales (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    method TEXT NOT NULL,
    fulfilment TEXT NOT NULL,
    orders BIGINT NOT NULL,
    gross BIGINT NOT NULL,
    discounts BIGINT NOT NULL,
    tax BIGINT NOT NULL,
    tax_added BIGINT NOT NULL,
    delivery_fees BIGINT NOT NULL,
    collected BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    PRIMARY KEY (site_id, business_date, method, fulfilment)
);

CREATE TABLE report_items (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    item_id UUID NOT NULL,
    item_code TEXT NOT NULL,
    item_name TEXT NOT NULL,
    category_name TEXT NOT NULL,
    orders BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    voided BIGINT NOT NULL,
    restocked BIGINT NOT NULL,
    wasted BIGINT NOT NULL,
    gross BIGINT NOT NULL,
    discounts BIGINT NOT NULL,
    tax BIGINT NOT NULL,
    revenue BIGINT NOT NULL,
    PRIMARY KEY (site_id, business_date, item_id)
);

-- Orders by the hour in which they were placed.
CREATE TABLE report_hours (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    hour_of_day BIGINT NOT NULL CHECK (hour_of_day BETWEEN 0 AND 23),
    placed BIGINT NOT NULL,
    received BIGINT NOT NULL,
    gross BIGINT NOT NULL,
    PRIMARY KEY (site_id, business_date, hour_of_day)
);

-- Durations of one station, or of the order as a whole where station_id is all zeros. `hours` holds every duration in whole seconds by
-- the hour in which the order was received, packed (domain/report_durations.rs), so that percentiles of any range are exact.
CREATE TABLE report_speed (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    station_id UUID NOT NULL,
    hours BYTEA NOT NULL,
    PRIMARY KEY (site_id, business_date, station_id)
);

-- Refunds that ended, on the day on which they did, and captures that belong to no sale (`kind` 'stray'), on the day of the capture.
CREATE TABLE report_refunds (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    kind TEXT NOT NULL CHECK (kind IN ('settled', 'failed', 'stray')),
    stray BOOLEAN NOT NULL,
    method TEXT NOT NULL,
    transition TEXT NOT NULL,
    reason TEXT NOT NULL,
    entries BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (site_id, business_date, kind, stray, method, transition, reason)
);

-- Food of orders on the order's day; stock thrown away by hand on the day on which it was. `subject_id` is the menu item or stock item.
CREATE TABLE report_waste (
    site_id TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (business_date LIKE '____-__-__'),
    source TEXT NOT NULL CHECK (source IN ('order', 'stock')),
    subject_id UUID NOT NULL,
    reason TEXT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    units BIGINT NOT NULL,
    menu_value BIGINT NOT NULL,
    PRIMARY KEY (site_id, business_date, source, subject_id, reason)
);

-- What a single day is counted along.
CREATE INDEX refunds_ended_at ON refunds (site_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX payment_attempts_stray_at ON payment_attempts (site_id, captured_at) WHERE stray;
CREATE INDEX stock_movements_waste_at ON stock_movements (site_id, at) WHERE kind = 'waste' AND order_id IS NULL;

-- Every event of an order raises its version (I7): refunds, tickets and lines never change without it. The marks are written with
-- the rights of the schema's owner: who may change an order need not be able to touch them otherwise.
CREATE FUNCTION servery_mark_report(site TEXT, subject UUID, day TEXT, changed_at BIGINT) RETURNS void
    LANGUAGE sql AS $$
    INSERT INTO report_changes AS c (site_id, subject_id, business_date, first_at, last_at)
        VALUES (site, subject, day, changed_at, changed_at)
        ON CONFLICT (site_id, subject_id) DO UPDATE SET changes = c.changes + 1,
            first_at = least(c.first_at, excluded.first_at), last_at = greatest(c.last_at, excluded.last_at)
$$;
REVOKE ALL ON FUNCTION servery_mark_report FROM PUBLIC;
CREATE FUNCTION servery_report_order() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM servery_mark_report(NEW.site_id, NEW.id, NEW.business_date, NEW.updated_at);
    RETURN NULL;
END
$$;
CREATE FUNCTION servery_report_waste() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM servery_mark_report(NEW.site_id, NEW.stock_item_id, NULL, NEW.at);
    RETURN NULL;
END
$$;
CREATE TRIGGER orders_report_new AFTER INSERT ON orders FOR EACH ROW
    EXECUTE FUNCTION servery_report_order();
CREATE TRIGGER orders_report_moved AFTER UPDATE OF version ON orders FOR EACH ROW
    EXECUTE FUNCTION servery_report_order();
CREATE TRIGGER stock_movements_report_waste AFTER INSERT ON stock_movements FOR EACH ROW
    WHEN (NEW.kind = 'waste' AND NEW.order_id IS NULL)
    EXECUTE FUNCTION servery_report_waste();

-- What a store holds already: one mark a day, and one a stock item.
INSERT INTO report_changes (site_id, subject_id, business_date, first_at, last_at)
    SELECT site_id, (array_agg(id ORDER BY id))[1], business_date, min(created_at), max(updated_at) FROM orders
    GROUP BY site_id, business_date;
INSERT INTO report_changes (site_id, subject_id, business_date, first_at, last_at)
    SELECT site_id, stock_item_id, NULL, min(at), max(at) FROM stock_movements
    WHERE kind = 'waste' AND order_id IS NULL GROUP BY site_id, stock_item_id;

-- One row an order, written with each of its events.
ALTER TABLE report_changes SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
