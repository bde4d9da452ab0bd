-- The menu: tax classes, stations, categories, items, options, and promotions. Nothing here is deleted; rows are
-- marked (`deleted_at`, `active`). What an order needs of the menu is copied into its lines.

-- Tax classes with their rate; `is_default` is used by items that name none.
CREATE TABLE tax_classes (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    id UUID NOT NULL,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    rate_ppm BIGINT NOT NULL CHECK (rate_ppm BETWEEN 0 AND 1000000),
    is_default BOOLEAN NOT NULL DEFAULT FALSE,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX tax_classes_name ON tax_classes (site_id, name);
CREATE UNIQUE INDEX tax_classes_default ON tax_classes (site_id) WHERE is_default;

-- Where food is made (grill, drinks); a line without a station belongs to the default one.
CREATE TABLE stations (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    id UUID NOT NULL,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 50),
    position BIGINT NOT NULL DEFAULT 0,
    is_default BOOLEAN NOT NULL DEFAULT FALSE,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX stations_name ON stations (site_id, name);
CREATE UNIQUE INDEX stations_default ON stations (site_id) WHERE is_default;

CREATE TABLE categories (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    id UUID NOT NULL,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    position BIGINT NOT NULL DEFAULT 0,
    glyph TEXT CHECK (length(glyph) <= 16),
    image_url TEXT,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX categories_name ON categories (site_id, name) WHERE deleted_at IS NULL;

-- `available` is the 86 flag of the staff, `active` hides the item from customers. `slots` is a list of slot names, NULL for
-- always; `allergens` is a list of words.
CREATE TABLE menu_items (
    site_id TEXT NOT NULL,
    id UUID NOT NULL,
    category_id UUID NOT NULL,
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 50),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description TEXT CHECK (length(description) <= 2000),
    price BIGINT NOT NULL CHECK (price > 0),
    tax_class_id UUID,
    station_id UUID,
    prep_minutes BIGINT NOT NULL DEFAULT 0 CHECK (prep_minutes BETWEEN 0 AND 1440),
    diet TEXT NOT NULL DEFAULT 'non_veg' CHECK (diet IN ('veg', 'vegan', 'egg', 'non_veg')),
    spicy BIGINT NOT NULL DEFAULT 0 CHECK (spicy BETWEEN 0 AND 3),
    allergens JSONB NOT NULL DEFAULT '[]',
    slots JSONB,
    available BOOLEAN NOT NULL DEFAULT TRUE,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    position BIGINT NOT NULL DEFAULT 0,
    glyph TEXT CHECK (length(glyph) <= 16),
    image_url TEXT,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, category_id) REFERENCES categories (site_id, id),
    FOREIGN KEY (site_id, tax_class_id) REFERENCES tax_classes (site_id, id),
    FOREIGN KEY (site_id, station_id) REFERENCES stations (site_id, id)
);
CREATE UNIQUE INDEX menu_items_code ON menu_items (site_id, code) WHERE deleted_at IS NULL;
CREATE INDEX menu_items_category ON menu_items (site_id, category_id, position);

-- A group of choices of one item ("Size"): between `minimum` and `maximum` of them are chosen.
CREATE TABLE option_groups (
    site_id TEXT NOT NULL,
    id UUID NOT NULL,
    item_id UUID NOT NULL,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    minimum BIGINT NOT NULL DEFAULT 0 CHECK (minimum >= 0),
    maximum BIGINT NOT NULL DEFAULT 1,
    position BIGINT NOT NULL DEFAULT 0,
    deleted_at BIGINT,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, item_id) REFERENCES menu_items (site_id, id),
    CONSTRAINT option_groups_range CHECK (maximum >= minimum AND maximum >= 1)
);
CREATE UNIQUE INDEX option_groups_name ON option_groups (site_id, item_id, name) WHERE deleted_at IS NULL;

-- One choice ("Large"); `price_delta` may be negative.
CREATE TABLE option_choices (
    site_id TEXT NOT NULL,
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    price_delta BIGINT NOT NULL DEFAULT 0,
    available BOOLEAN NOT NULL DEFAULT TRUE,
    position BIGINT NOT NULL DEFAULT 0,
    deleted_at BIGINT,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, group_id) REFERENCES option_groups (site_id, id)
);
CREATE UNIQUE INDEX option_choices_name ON option_choices (site_id, group_id, name) WHERE deleted_at IS NULL;

-- `uses` counts the orders that hold a use; NULL limits mean without limit. `rate_ppm` for percent, `amount` for amount.
CREATE TABLE promotions (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    id UUID NOT NULL,
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 50),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    kind TEXT NOT NULL CHECK (kind IN ('percent', 'amount')),
    rate_ppm BIGINT CHECK (rate_ppm BETWEEN 1 AND 1000000),
    amount BIGINT CHECK (amount > 0),
    minimum_subtotal BIGINT NOT NULL DEFAULT 0 CHECK (minimum_subtotal >= 0),
    starts_at BIGINT,
    ends_at BIGINT,
    use_limit BIGINT CHECK (use_limit > 0),
    per_customer_limit BIGINT CHECK (per_customer_limit > 0),
    uses BIGINT NOT NULL DEFAULT 0,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, id),
    CONSTRAINT promotions_value CHECK ((kind = 'percent') = (rate_ppm IS NOT NULL) AND (kind = 'amount') = (amount IS NOT NULL)),
    CONSTRAINT promotions_uses CHECK (uses >= 0 AND (use_limit IS NULL OR uses <= use_limit))
);
CREATE UNIQUE INDEX promotions_code ON promotions (site_id, code);
