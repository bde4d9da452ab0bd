-- Indexes by which what is asked of one order, or of what is open now, is found without reading the history.

-- The refunds of one order, oldest first: else SQLite goes through all refunds of the site along refunds_created.
CREATE INDEX refunds_order ON refunds (site_id, order_id, created_at, id);
-- The open shifts, oldest first: else it goes through every shift that ever was.
CREATE INDEX till_shifts_open_since ON till_shifts (site_id, opened_at, id) WHERE closed_at IS NULL;
