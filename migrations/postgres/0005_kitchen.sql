-- The kitchen's side (tickets), the courier's side (assignments), and what the customer said afterwards.

-- What one station sees of one order. `shown_at` is the anchor of its age and place, and recall keeps it.
CREATE TABLE tickets (
    site_id TEXT NOT NULL,
    order_id UUID NOT NULL,
    station_id UUID NOT NULL,
    shown_at BIGINT NOT NULL,
    bumped_at BIGINT,
    recalled_at BIGINT,
    PRIMARY KEY (site_id, order_id, station_id),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    FOREIGN KEY (site_id, station_id) REFERENCES stations (site_id, id)
);
CREATE INDEX tickets_open ON tickets (site_id, station_id, shown_at) WHERE bumped_at IS NULL;

-- The lines on a ticket. How many units are done or voided stands on order_lines only, so that it cannot differ.
CREATE TABLE ticket_items (
    site_id TEXT NOT NULL,
    order_id UUID NOT NULL,
    station_id UUID NOT NULL,
    line_id UUID NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity >= 1),
    PRIMARY KEY (site_id, order_id, station_id, line_id),
    FOREIGN KEY (site_id, order_id, station_id) REFERENCES tickets (site_id, order_id, station_id),
    FOREIGN KEY (site_id, order_id, line_id) REFERENCES order_lines (site_id, order_id, id)
);

-- Who carries an order. Ended ones stay as the history; at most one is active.
CREATE TABLE delivery_assignments (
    site_id TEXT NOT NULL,
    id UUID NOT NULL,
    order_id UUID NOT NULL,
    staff_id UUID NOT NULL,
    status TEXT NOT NULL DEFAULT 'assigned' CHECK (status IN ('assigned', 'picked_up', 'delivered', 'cancelled')),
    assigned_by UUID,
    assigned_at BIGINT NOT NULL,
    picked_up_at BIGINT,
    delivered_at BIGINT,
    cancelled_at BIGINT,
    cancel_reason TEXT CHECK (length(cancel_reason) <= 500),
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id),
    FOREIGN KEY (site_id, staff_id) REFERENCES staff (site_id, id),
    CONSTRAINT delivery_assignments_delivered CHECK ((status = 'delivered') = (delivered_at IS NOT NULL)),
    CONSTRAINT delivery_assignments_cancelled CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)),
    CONSTRAINT delivery_assignments_picked_up CHECK (status NOT IN ('picked_up', 'delivered') OR picked_up_at IS NOT NULL)
);
CREATE UNIQUE INDEX delivery_assignments_active ON delivery_assignments (site_id, order_id) WHERE status IN ('assigned', 'picked_up');
CREATE INDEX delivery_assignments_order ON delivery_assignments (site_id, order_id, assigned_at);
CREATE INDEX delivery_assignments_staff ON delivery_assignments (site_id, staff_id, assigned_at);

-- Where the courier said to be (a word, no position). `seq` counts within the assignment.
CREATE TABLE delivery_checkpoints (
    site_id TEXT NOT NULL,
    assignment_id UUID NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    place TEXT NOT NULL CHECK (length(place) BETWEEN 1 AND 100),
    note TEXT CHECK (length(note) <= 500),
    at BIGINT NOT NULL,
    PRIMARY KEY (site_id, assignment_id, seq),
    FOREIGN KEY (site_id, assignment_id) REFERENCES delivery_assignments (site_id, id)
);

CREATE TABLE reviews (
    site_id TEXT NOT NULL,
    order_id UUID NOT NULL,
    customer_id UUID NOT NULL,
    staff_id UUID,
    food_rating BIGINT NOT NULL CHECK (food_rating BETWEEN 1 AND 5),
    delivery_rating BIGINT CHECK (delivery_rating BETWEEN 1 AND 5),
    comment TEXT CHECK (length(comment) <= 2000),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, order_id),
    FOREIGN KEY (site_id, order_id) REFERENCES orders (site_id, id)
);
CREATE INDEX reviews_created ON reviews (site_id, created_at);
