-- The menu: tax classes, stations, categories, items, options, and promotions. Nothing here is deleted; rows are
-- marked (`deleted_at`, `active`). What an order needs of the menu is copied into its lines.

-- Tax classes with their rate; `is_default` is used by items that name none.
CREATE TABLE tax_classes (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    rate_ppm INTEGER NOT NULL CHECK (rate_ppm BETWEEN 0 AND 1000000),
    is_default INTEGER NOT NULL DEFAULT FALSE CHECK (is_default IN (0, 1)),
    active INTEGER NOT NULL DEFAULT TRUE CHECK (active IN (0, 1)),
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX tax_classes_name ON tax_classes (site_id, name);
CREATE UNIQUE INDEX tax_classes_default ON tax_classes (site_id) WHERE is_default;

-- Where food is made (grill, drinks); a line without a station belongs to the default one.
CREATE TABLE stations (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 50),
    position INTEGER NOT NULL DEFAULT 0,
    is_default INTEGER NOT NULL DEFAULT FALSE CHECK (is_default IN (0, 1)),
    active INTEGER NOT NULL DEFAULT TRUE CHECK (active IN (0, 1)),
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX stations_name ON stations (site_id, name);
CREATE UNIQUE INDEX stations_default ON stations (site_id) WHERE is_default;

CREATE TABLE categories (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    position INTEGER NOT NULL DEFAULT 0,
    glyph TEXT CHECK (length(glyph) <= 16),
    image_url TEXT,
    active INTEGER NOT NULL DEFAULT TRUE CHECK (active IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (site_id, id)
) STRICT;
CREATE UNIQUE INDEX categories_name ON categories (site_id, name) WHERE deleted_at IS NULL;

-- `available` is the 86 flag of the staff, `active` hides the item from customers. `slots` is a list of slot names, NULL for
-- always; `allergens` is a list of words.
CREATE TABLE menu_items (
    site_id TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    category_id BLOB NOT NULL CHECK (length(category_id) = 16),
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 50),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description TEXT CHECK (length(description) <= 2000),
    price INTEGER NOT NULL CHECK (price > 0),
    tax_class_id BLOB CHECK (length(tax_class_id) = 16),
    station_id BLOB CHECK (length(station_id) = 16),
    prep_minutes INTEGER NOT NULL DEFAULT 0 CHECK (prep_minutes BETWEEN 0 AND 1440),
    diet TEXT NOT NULL DEFAULT 'non_veg' CHECK (diet IN ('veg', 'vegan', 'egg', 'non_veg')),
    spicy INTEGER NOT NULL DEFAULT 0 CHECK (spicy BETWEEN 0 AND 3),
    allergens TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(allergens)),
    slots TEXT CHECK (json_valid(slots)),
    available INTEGER NOT NULL DEFAULT TRUE CHECK (available IN (0, 1)),
    active INTEGER NOT NULL DEFAULT TRUE CHECK (active IN (0, 1)),
    position INTEGER NOT NULL DEFAULT 0,
    glyph TEXT CHECK (length(glyph) <= 16),
    image_url TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, category_id) REFERENCES categories (site_id, id),
    FOREIGN KEY (site_id, tax_class_id) REFERENCES tax_classes (site_id, id),
    FOREIGN KEY (site_id, station_id) REFERENCES stations (site_id, id)
) STRICT;
CREATE UNIQUE INDEX menu_items_code ON menu_items (site_id, code) WHERE deleted_at IS NULL;
CREATE INDEX menu_items_category ON menu_items (site_id, category_id, position);

-- A group of choices of one item ("Size"): between `minimum` and `maximum` of them are chosen.
CREATE TABLE option_groups (
    site_id TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    item_id BLOB NOT NULL CHECK (length(item_id) = 16),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    minimum INTEGER NOT NULL DEFAULT 0 CHECK (minimum >= 0),
    maximum INTEGER NOT NULL DEFAULT 1,
    position INTEGER NOT NULL DEFAULT 0,
    deleted_at INTEGER,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, item_id) REFERENCES menu_items (site_id, id),
    CONSTRAINT option_groups_range CHECK (maximum >= minimum AND maximum >= 1)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX option_groups_name ON option_groups (site_id, item_id, name) WHERE deleted_at IS NULL;

-- One choice ("Large"); `price_delta` may be negative.
CREATE TABLE option_choices (
    site_id TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    group_id BLOB NOT NULL CHECK (length(group_id) = 16),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    price_delta INTEGER NOT NULL DEFAULT 0,
    available INTEGER NOT NULL DEFAULT TRUE CHECK (available IN (0, 1)),
    position INTEGER NOT NULL DEFAULT 0,
    deleted_at INTEGER,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, group_id) REFERENCES option_groups (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX option_choices_name ON option_choices (site_id, group_id, name) WHERE deleted_at IS NULL;

-- `uses` counts the orders that hold a use; NULL limits mean without limit. `rate_ppm` for percent, `amount` for amount.
CREATE TABLE promotions (
    site_id TEXT NOT NULL REFERENCES sites (site_id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 50),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    kind TEXT NOT NULL CHECK (kind IN ('percent', 'amount')),
    rate_ppm INTEGER CHECK (rate_ppm BETWEEN 1 AND 1000000),
    amount INTEGER CHECK (amount > 0),
    minimum_subtotal INTEGER NOT NULL DEFAULT 0 CHECK (minimum_subtotal >= 0),
    starts_at INTEGER,
    ends_at INTEGER,
    use_limit INTEGER CHECK (use_limit > 0),
    per_customer_limit INTEGER CHECK (per_customer_limit > 0),
    uses INTEGER NOT NULL DEFAULT 0,
    active INTEGER NOT NULL DEFAULT TRUE CHECK (active IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (site_id, id),
    CONSTRAINT promotions_value CHECK ((kind = 'percent') = (rate_ppm IS NOT NULL) AND (kind = 'amount') = (amount IS NOT NULL)),
    CONSTRAINT promotions_uses CHECK (uses >= 0 AND (use_limit IS NULL OR uses <= use_limit))
) STRICT;
CREATE UNIQUE INDEX promotions_code ON promotions (site_id, code);
