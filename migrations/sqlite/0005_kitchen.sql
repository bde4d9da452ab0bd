-- The kitchen's side (tickets), the courier's side (assignments), and what the customer said afterwards.

-- What one station sees of one order. `shown_at` is the anchor of its age and place, and recall keeps it.
CREATE TABLE tickets (
    site_id TEXT NOT NULL,
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    station_id BLOB NOT NULL CHECK (length(station_id) = 16),
    shown_at INTEGER NOT NULL,
    bumped_at INTEGER,
    recalled_at INTEGER,
    PRIMARY KEY (site_id, order_id, station_id),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    FOREIGN KEY (site_id, station_id) REFERENCES stations (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_open ON tickets (site_id, station_id, shown_at) WHERE bumped_at IS NULL;

-- The lines on a ticket. How many units are done or voided stands on order_lines only, so that it cannot differ.
CREATE TABLE ticket_items (
    site_id TEXT NOT NULL,
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    station_id BLOB NOT NULL CHECK (length(station_id) = 16),
    line_id BLOB NOT NULL CHECK (length(line_id) = 16),
    quantity INTEGER NOT NULL CHECK (quantity >= 1),
    PRIMARY KEY (site_id, order_id, station_id, line_id),
    FOREIGN KEY (site_id, order_id, station_id) REFERENCES tickets (site_id, order_id, station_id),
    FOREIGN KEY (site_id, order_id, line_id) REFERENCES order_lines (site_id, order_id, id)
) STRICT, WITHOUT ROWID;

-- Who carries an order. Ended ones stay as the history; at most one is active.
CREATE TABLE delivery_assignments (
    site_id TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    staff_id BLOB NOT NULL CHECK (length(staff_id) = 16),
    status TEXT NOT NULL DEFAULT 'assigned' CHECK (status IN ('assigned', 'picked_up', 'delivered', 'cancelled')),
    assigned_by BLOB CHECK (length(assigned_by) = 16),
    assigned_at INTEGER NOT NULL,
    picked_up_at INTEGER,
    delivered_at INTEGER,
    cancelled_at INTEGER,
    cancel_reason TEXT CHECK (length(cancel_reason) <= 500),
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    FOREIGN KEY (site_id, staff_id) REFERENCES staff (site_id, id),
    CONSTRAINT delivery_assignments_delivered CHECK ((status = 'delivered') = (delivered_at IS NOT NULL)),
    CONSTRAINT delivery_assignments_cancelled CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)),
    CONSTRAINT delivery_assignments_picked_up CHECK (status NOT IN ('picked_up', 'delivered') OR picked_up_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX delivery_assignments_active ON delivery_assignments (site_id, order_id) WHERE status IN ('assigned', 'picked_up');
CREATE INDEX delivery_assignments_order ON delivery_assignments (site_id, order_id, assigned_at);
CREATE INDEX delivery_assignments_staff ON delivery_assignments (site_id, staff_id, assigned_at);

-- Where the courier said to be (a word, no position). `seq` counts within the assignment.
CREATE TABLE delivery_checkpoints (
    site_id TEXT NOT NULL,
    assignment_id BLOB NOT NULL CHECK (length(assignment_id) = 16),
    seq INTEGER NOT NULL CHECK (seq >= 1),
    place TEXT NOT NULL CHECK (length(place) BETWEEN 1 AND 100),
    note TEXT CHECK (length(note) <= 500),
    at INTEGER NOT NULL,
    PRIMARY KEY (site_id, assignment_id, seq),
    FOREIGN KEY (site_id, assignment_id) REFERENCES delivery_assignments (site_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE reviews (
    site_id TEXT NOT NULL,
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    customer_id BLOB NOT NULL CHECK (length(customer_id) = 16),
    staff_id BLOB CHECK (length(staff_id) = 16),
    food_rating INTEGER NOT NULL CHECK (food_rating BETWEEN 1 AND 5),
    delivery_rating INTEGER CHECK (delivery_rating BETWEEN 1 AND 5),
    comment TEXT CHECK (length(comment) <= 2000),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (site_id, order_id),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reviews_created ON reviews (site_id, created_at);
