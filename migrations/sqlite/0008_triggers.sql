-- What SQL refuses whatever the program asks: the state machine's borders, snapshots, and the rows that are never rewritten.
-- Every message begins with 'servery: ' and names the rule, so that the store can tell these refusals from others.

-- Ledger, history, drawer, audit and seals are written once.
CREATE TRIGGER stock_movements_no_update BEFORE UPDATE ON stock_movements FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'servery: stock_movements is append-only');
END;
CREATE TRIGGER order_history_no_update BEFORE UPDATE ON order_history FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'servery: order_history is append-only');
END;
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'servery: audit_log is append-only');
END;
CREATE TRIGGER audit_seals_no_update BEFORE UPDATE ON audit_seals FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'servery: audit_seals is append-only');
END;
CREATE TRIGGER drawer_movements_no_update BEFORE UPDATE ON drawer_movements FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'servery: drawer_movements is append-only');
END;

-- They are deleted only by an archive run of the same transaction that covers the row; seals and closed shifts never.
CREATE TRIGGER stock_movements_no_delete BEFORE DELETE ON stock_movements FOR EACH ROW
    WHEN (NOT EXISTS (SELECT 1 FROM archive_runs WHERE site_id = OLD.site_id AND state = 'running' AND before_at > OLD.at))
BEGIN
    SELECT RAISE(ABORT, 'servery: stock_movements is deleted only by an archive run that covers the row');
END;
CREATE TRIGGER order_history_no_delete BEFORE DELETE ON order_history FOR EACH ROW
    WHEN (NOT EXISTS (SELECT 1 FROM archive_runs WHERE site_id = OLD.site_id AND state = 'running' AND before_at > OLD.at))
BEGIN
    SELECT RAISE(ABORT, 'servery: order_history is deleted only by an archive run that covers the row');
END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log FOR EACH ROW
    WHEN (NOT EXISTS (SELECT 1 FROM archive_runs WHERE site_id = OLD.site_id AND state = 'running' AND before_at > OLD.at))
BEGIN
    SELECT RAISE(ABORT, 'servery: audit_log is deleted only by an archive run that covers the row');
END;
CREATE TRIGGER drawer_movements_no_delete BEFORE DELETE ON drawer_movements FOR EACH ROW
    WHEN (NOT EXISTS (SELECT 1 FROM archive_runs WHERE site_id = OLD.site_id AND state = 'running' AND before_at > OLD.at))
BEGIN
    SELECT RAISE(ABORT, 'servery: drawer_movements is deleted only by an archive run that covers the row');
END;
CREATE TRIGGER audit_seals_no_delete BEFORE DELETE ON audit_seals FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'servery: audit_seals is never deleted');
END;
CREATE TRIGGER till_shifts_no_delete BEFORE DELETE ON till_shifts FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'servery: till_shifts is never deleted');
END;

-- SQLite has one writer and no number of a transaction: the archiving transaction itself inserts the run, deletes, and marks it
-- done, so that no other transaction ever sees it as running.

-- Archive runs: born running, done once.
CREATE TRIGGER archive_runs_born BEFORE INSERT ON archive_runs FOR EACH ROW
    WHEN (NEW.state <> 'running')
BEGIN
    SELECT RAISE(ABORT, 'servery: an archive run begins as running');
END;
CREATE TRIGGER archive_runs_moves BEFORE UPDATE ON archive_runs FOR EACH ROW
    WHEN (OLD.state <> 'running' OR NEW.before_at <> OLD.before_at OR NEW.transaction_mark <> OLD.transaction_mark)
BEGIN
    SELECT RAISE(ABORT, 'servery: a finished archive run, its limit and its mark never change');
END;

-- I8: a terminal state never changes.
CREATE TRIGGER orders_terminal BEFORE UPDATE OF status ON orders FOR EACH ROW
    WHEN (OLD.status IN ('completed', 'cancelled', 'rejected', 'expired') AND NEW.status <> OLD.status)
BEGIN
    SELECT RAISE(ABORT, 'servery: a terminal order never changes its status');
END;

-- I7: the status moves along the table and each event raises the version by 1. Two events of one transaction that follow each other
-- (capture and automatic acceptance; cash on the doorstep and delivery) may be one UPDATE of +2, and the items that are done may be
-- one UPDATE with the ready that follows. The history's key, and doctor, see to one row for each version.
CREATE TRIGGER orders_moves BEFORE UPDATE OF status ON orders FOR EACH ROW
    WHEN (NEW.status <> OLD.status AND NOT (
        (NEW.version > OLD.version AND OLD.status = 'preparing' AND NEW.status = 'ready')
        OR (NEW.version = OLD.version + 1 AND (
            (OLD.status = 'pending' AND NEW.status IN ('received', 'cancelled', 'expired'))
            OR (OLD.status = 'received' AND NEW.status IN ('confirmed', 'cancelled', 'rejected'))
            OR (OLD.status = 'confirmed' AND NEW.status IN ('preparing', 'cancelled'))
            OR (OLD.status = 'preparing' AND NEW.status = 'cancelled')
            OR (OLD.status = 'ready' AND NEW.status IN ('preparing', 'out_for_delivery', 'completed', 'cancelled'))
            OR (OLD.status = 'out_for_delivery' AND NEW.status IN ('ready', 'completed'))))
        OR (NEW.version = OLD.version + 2 AND (
            (OLD.status = 'pending' AND NEW.status = 'confirmed')
            OR (OLD.status = 'received' AND NEW.status = 'confirmed')
            OR (OLD.status = 'out_for_delivery' AND NEW.status = 'completed'))))
        AND OLD.status NOT IN ('completed', 'cancelled', 'rejected', 'expired'))
BEGIN
    SELECT RAISE(ABORT, 'servery: no such transition of an order');
END;
CREATE TRIGGER orders_version BEFORE UPDATE OF version ON orders FOR EACH ROW
    WHEN (NEW.version < OLD.version)
BEGIN
    SELECT RAISE(ABORT, 'servery: the version of an order never falls');
END;
CREATE TRIGGER orders_born BEFORE INSERT ON orders FOR EACH ROW
    WHEN (NEW.status NOT IN ('pending', 'received', 'confirmed') OR NEW.version > 3)
BEGIN
    SELECT RAISE(ABORT, 'servery: an order begins as pending, received or confirmed');
END;
CREATE TRIGGER orders_paid_stays BEFORE UPDATE OF paid, paid_at ON orders FOR EACH ROW
    WHEN (OLD.paid AND (NEW.paid <> OLD.paid OR NEW.paid_at <> OLD.paid_at))
BEGIN
    SELECT RAISE(ABORT, 'servery: a paid order stays paid');
END;

-- I12, I13: what was sold, to whom and for how much never changes.
CREATE TRIGGER orders_snapshot BEFORE UPDATE OF order_number, business_date, sequence, training, fulfilment, method, customer_id, cart_id, currency, subtotal, discount, tax, tax_inclusive, delivery_charge, total, price_trace, slot_name, promotion_id, retry_of, created_at ON orders FOR EACH ROW
    WHEN (NEW.order_number IS DISTINCT FROM OLD.order_number
        OR NEW.business_date IS DISTINCT FROM OLD.business_date
        OR NEW.sequence IS DISTINCT FROM OLD.sequence
        OR NEW.training IS DISTINCT FROM OLD.training
        OR NEW.fulfilment IS DISTINCT FROM OLD.fulfilment
        OR NEW.method IS DISTINCT FROM OLD.method
        OR NEW.customer_id IS DISTINCT FROM OLD.customer_id
        OR NEW.cart_id IS DISTINCT FROM OLD.cart_id
        OR NEW.currency IS DISTINCT FROM OLD.currency
        OR NEW.subtotal IS DISTINCT FROM OLD.subtotal
        OR NEW.discount IS DISTINCT FROM OLD.discount
        OR NEW.tax IS DISTINCT FROM OLD.tax
        OR NEW.tax_inclusive IS DISTINCT FROM OLD.tax_inclusive
        OR NEW.delivery_charge IS DISTINCT FROM OLD.delivery_charge
        OR NEW.total IS DISTINCT FROM OLD.total
        OR NEW.price_trace IS DISTINCT FROM OLD.price_trace
        OR NEW.slot_name IS DISTINCT FROM OLD.slot_name
        OR NEW.promotion_id IS DISTINCT FROM OLD.promotion_id
        OR NEW.retry_of IS DISTINCT FROM OLD.retry_of
        OR NEW.created_at IS DISTINCT FROM OLD.created_at)
BEGIN
    SELECT RAISE(ABORT, 'servery: the snapshot columns of orders never change');
END;
CREATE TRIGGER order_lines_snapshot BEFORE UPDATE OF position, item_id, item_code, item_name, category_name, base_price, unit_price, options, quantity, line_total, discount_share, tax_share, total_share, tax_class_name, tax_rate_ppm, consumption, station_id, prep_minutes, diet, allergens, note ON order_lines FOR EACH ROW
    WHEN (NEW.position IS DISTINCT FROM OLD.position
        OR NEW.item_id IS DISTINCT FROM OLD.item_id
        OR NEW.item_code IS DISTINCT FROM OLD.item_code
        OR NEW.item_name IS DISTINCT FROM OLD.item_name
        OR NEW.category_name IS DISTINCT FROM OLD.category_name
        OR NEW.base_price IS DISTINCT FROM OLD.base_price
        OR NEW.unit_price IS DISTINCT FROM OLD.unit_price
        OR NEW.options IS DISTINCT FROM OLD.options
        OR NEW.quantity IS DISTINCT FROM OLD.quantity
        OR NEW.line_total IS DISTINCT FROM OLD.line_total
        OR NEW.discount_share IS DISTINCT FROM OLD.discount_share
        OR NEW.tax_share IS DISTINCT FROM OLD.tax_share
        OR NEW.total_share IS DISTINCT FROM OLD.total_share
        OR NEW.tax_class_name IS DISTINCT FROM OLD.tax_class_name
        OR NEW.tax_rate_ppm IS DISTINCT FROM OLD.tax_rate_ppm
        OR NEW.consumption IS DISTINCT FROM OLD.consumption
        OR NEW.station_id IS DISTINCT FROM OLD.station_id
        OR NEW.prep_minutes IS DISTINCT FROM OLD.prep_minutes
        OR NEW.diet IS DISTINCT FROM OLD.diet
        OR NEW.allergens IS DISTINCT FROM OLD.allergens
        OR NEW.note IS DISTINCT FROM OLD.note)
BEGIN
    SELECT RAISE(ABORT, 'servery: the snapshot columns of order_lines never change');
END;
CREATE TRIGGER order_lines_given_back_stays BEFORE UPDATE OF voided, restocked, wasted ON order_lines FOR EACH ROW
    WHEN (NEW.voided < OLD.voided OR NEW.restocked < OLD.restocked OR NEW.wasted < OLD.wasted)
BEGIN
    SELECT RAISE(ABORT, 'servery: units voided, restocked or wasted are never taken back');
END;

-- I4: a reservation leaves `held` once, and what it speaks of then never changes.
CREATE TRIGGER reservations_leave_once BEFORE UPDATE ON reservations FOR EACH ROW
    WHEN (OLD.state <> 'held' AND (NEW.state <> OLD.state OR NEW.quantity <> OLD.quantity OR NEW.restocked < OLD.restocked OR NEW.wasted < OLD.wasted))
BEGIN
    SELECT RAISE(ABORT, 'servery: a reservation leaves held exactly once');
END;
CREATE TRIGGER reservations_only_fall BEFORE UPDATE ON reservations FOR EACH ROW
    WHEN (NEW.quantity > OLD.quantity OR NEW.taken <> OLD.taken)
BEGIN
    SELECT RAISE(ABORT, 'servery: a reservation never grows');
END;
CREATE TRIGGER reservations_born BEFORE INSERT ON reservations FOR EACH ROW
    WHEN (NEW.state <> 'held' OR NEW.quantity <> NEW.taken)
BEGIN
    SELECT RAISE(ABORT, 'servery: a reservation begins as held');
END;

-- I9, I10: attempts and refunds end once; amounts never change.
CREATE TRIGGER payment_attempts_end_once BEFORE UPDATE OF status ON payment_attempts FOR EACH ROW
    WHEN ((OLD.status IN ('captured', 'failed', 'voided') AND NEW.status <> OLD.status) OR (OLD.status = 'authorized' AND NEW.status = 'created'))
BEGIN
    SELECT RAISE(ABORT, 'servery: a payment attempt ends exactly once');
END;
CREATE TRIGGER payment_attempts_snapshot BEFORE UPDATE OF method, amount, currency, stray, idempotency_key, created_at ON payment_attempts FOR EACH ROW
    WHEN (NEW.method IS DISTINCT FROM OLD.method
        OR NEW.amount IS DISTINCT FROM OLD.amount
        OR NEW.currency IS DISTINCT FROM OLD.currency
        OR NEW.stray IS DISTINCT FROM OLD.stray
        OR NEW.idempotency_key IS DISTINCT FROM OLD.idempotency_key
        OR NEW.created_at IS DISTINCT FROM OLD.created_at)
BEGIN
    SELECT RAISE(ABORT, 'servery: the snapshot columns of payment_attempts never change');
END;
CREATE TRIGGER refunds_end_once BEFORE UPDATE OF status ON refunds FOR EACH ROW
    WHEN (OLD.status <> 'pending' AND NEW.status <> OLD.status)
BEGIN
    SELECT RAISE(ABORT, 'servery: a refund ends exactly once');
END;
CREATE TRIGGER refunds_born BEFORE INSERT ON refunds FOR EACH ROW
    WHEN (NEW.status <> 'pending')
BEGIN
    SELECT RAISE(ABORT, 'servery: a refund begins as pending');
END;
CREATE TRIGGER refunds_snapshot BEFORE UPDATE OF attempt_id, method, amount, currency, idempotency_key, created_at ON refunds FOR EACH ROW
    WHEN (NEW.attempt_id IS DISTINCT FROM OLD.attempt_id
        OR NEW.method IS DISTINCT FROM OLD.method
        OR NEW.amount IS DISTINCT FROM OLD.amount
        OR NEW.currency IS DISTINCT FROM OLD.currency
        OR NEW.idempotency_key IS DISTINCT FROM OLD.idempotency_key
        OR NEW.created_at IS DISTINCT FROM OLD.created_at)
BEGIN
    SELECT RAISE(ABORT, 'servery: the snapshot columns of refunds never change');
END;
CREATE TRIGGER refunds_add AFTER INSERT ON refunds FOR EACH ROW
BEGIN
    UPDATE payment_attempts SET refunded = refunded + NEW.amount
        WHERE site_id = NEW.site_id AND order_id = NEW.order_id AND id = NEW.attempt_id;
END;
CREATE TRIGGER refunds_take_back AFTER UPDATE OF status ON refunds FOR EACH ROW
    WHEN (OLD.status = 'pending' AND NEW.status = 'failed')
BEGIN
    UPDATE payment_attempts SET refunded = refunded - NEW.amount
        WHERE site_id = NEW.site_id AND order_id = NEW.order_id AND id = NEW.attempt_id;
END;

-- I22: a closed shift is immutable, and nothing moves in its drawer.
CREATE TRIGGER till_shifts_closed BEFORE UPDATE ON till_shifts FOR EACH ROW
    WHEN (OLD.closed_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'servery: a closed till shift never changes');
END;
CREATE TRIGGER till_shifts_snapshot BEFORE UPDATE OF terminal_id, opened_by, opened_at, opening_float ON till_shifts FOR EACH ROW
    WHEN (NEW.terminal_id IS DISTINCT FROM OLD.terminal_id
        OR NEW.opened_by IS DISTINCT FROM OLD.opened_by
        OR NEW.opened_at IS DISTINCT FROM OLD.opened_at
        OR NEW.opening_float IS DISTINCT FROM OLD.opening_float)
BEGIN
    SELECT RAISE(ABORT, 'servery: the snapshot columns of till_shifts never change');
END;
CREATE TRIGGER drawer_movements_shift BEFORE INSERT ON drawer_movements FOR EACH ROW
    WHEN (NOT EXISTS (SELECT 1 FROM till_shifts WHERE site_id = NEW.site_id AND id = NEW.shift_id AND closed_at IS NULL
        AND last_movement = NEW.seq AND balance = NEW.balance_after))
BEGIN
    SELECT RAISE(ABORT, 'servery: a drawer moves only with its open till shift');
END;

-- The lease's fence never falls.
CREATE TRIGGER worker_lease_fence BEFORE UPDATE OF fence ON worker_lease FOR EACH ROW
    WHEN (NEW.fence < OLD.fence)
BEGIN
    SELECT RAISE(ABORT, 'servery: the fence of a lease never falls');
END;
