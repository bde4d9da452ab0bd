//! Least privilege on Postgres: what each kind of process may do with each table, as data ([`TABLES`]), and the
//! SQL that says so to a server. Whether a role exists, its password, and who may connect from where are the
//! operator's; SQLite knows no roles.
//!
//! Rights end at rows and columns: which order may move to which state is judged by the program. What even the
//! program may not do (rewrite history, the ledger, the audit log) no role can.

use crate::words;
use std::fmt::Write as _;

words!(
    /// A kind of process that has a role of its own on Postgres.
    StoreRole, "store role" {
        /// A terminal in the hands of customers.
        Kiosk = "kiosk",
        /// The kitchen's board, at which staff sign in and take cash.
        Kitchen = "kitchen",
        /// The staff's console and the command line of a manager.
        Console = "console",
        /// Timers, open payments, refunds, events, seals, doctor; also the board and the metrics.
        Worker = "worker",
    }
);

/// The rights of every role on one table, as SQL writes them after GRANT; empty: none.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The table.
    pub name: &'static str,
    /// What a kiosk may.
    pub kiosk: &'static str,
    /// What a kitchen's board may.
    pub kitchen: &'static str,
    /// What a console may.
    pub console: &'static str,
    /// What a worker may.
    pub worker: &'static str,
}

impl Table {
    /// The rights of a role.
    #[must_use]
    pub const fn of(&self, role: StoreRole) -> &'static str {
        match role {
            StoreRole::Kiosk => self.kiosk,
            StoreRole::Kitchen => self.kitchen,
            StoreRole::Console => self.console,
            StoreRole::Worker => self.worker,
        }
    }

    /// The same rights for all.
    const fn all(name: &'static str, rights: &'static str) -> Self {
        Self { name, kiosk: rights, kitchen: rights, console: rights, worker: rights }
    }

    /// What the worker keeps and a manager reads.
    const fn summaries(name: &'static str) -> Self {
        Self { name, kiosk: "", kitchen: "", console: "SELECT", worker: "SELECT, INSERT, UPDATE, DELETE" }
    }

    /// What every process may read and a manager may change.
    const fn menu(name: &'static str, console: &'static str) -> Self {
        Self { name, kiosk: "SELECT", kitchen: "SELECT", console, worker: "SELECT" }
    }
}

/// Everything that an event of the order machine moves (`store/orders.rs`); what was sold, to whom and for how
/// much is not among it.
const ORDERS: &str = "SELECT, INSERT, UPDATE (status, reason, reason_text, version, event_sequence, paid, paid_at, due, \
     staff_note, slot_claimed, expires_at, hold_extended, on_hold_until, priority, uncollected, late_payment, \
     assignment_failures, assignment_escalated, estimated_ready_at, updated_at, received_at, confirmed_at, preparing_at, \
     ready_at, out_at, ended_at)";
const STOCK: &str = "SELECT, UPDATE (on_hand, reserved, last_movement, updated_at)";
/// `refunded` is kept by a trigger, which runs with the rights of whoever adds the refund.
const ATTEMPTS: &str = "SELECT, INSERT, UPDATE (status, unknown, unresolved, refunded, gateway, gateway_order_id, \
     gateway_payment_id, brand, last_four, reason, gateway_response, tries, updated_at, captured_at, ended_at, next_check_at)";
const REFUNDS: &str = "SELECT, INSERT, UPDATE (status, last_error, gateway_refund_id, gateway_response, tries, updated_at, \
     ended_at, next_try_at)";
const APPEND: &str = "SELECT, INSERT";
const TERMINAL: &str = "SELECT, INSERT, UPDATE (last_seen_at, software_version)";
const LIMITS: &str = "SELECT, INSERT, UPDATE, DELETE";
const ASSIGNMENTS: &str = "SELECT, INSERT, UPDATE (status, picked_up_at, delivered_at, cancelled_at, cancel_reason)";
const SESSIONS: &str = "SELECT, INSERT, UPDATE (last_used_at, revoked_at)";
const WRITE: &str = "SELECT, INSERT, UPDATE";

/// What each role may do with each table of the store. A table that a migration adds is decided on here, which
/// the tests of the grants ask for.
pub const TABLES: &[Table] = &[
    // Who and where.
    Table::all("_sqlx_migrations", "SELECT"),
    Table {
        name: "store_meta",
        kiosk: "SELECT",
        kitchen: "SELECT",
        console: "SELECT, UPDATE (pepper_fingerprint)",
        worker: "SELECT",
    },
    Table {
        name: "sites",
        kiosk: "SELECT",
        kitchen: "SELECT, UPDATE (menu_version)",
        console: "SELECT, UPDATE (name, menu_version, settings_version, staff_version)",
        worker: "SELECT",
    },
    Table {
        name: "settings",
        kiosk: "SELECT",
        kitchen: "SELECT",
        console: "SELECT, INSERT, UPDATE, DELETE",
        worker: "SELECT",
    },
    Table {
        name: "terminals",
        kiosk: TERMINAL,
        kitchen: TERMINAL,
        console: "SELECT, INSERT, UPDATE",
        worker: "SELECT (site_id, id, name, role, training, software_version, registered_at, last_seen_at, revoked_at), \
                 INSERT (site_id, id, name, role, software_version, registered_at, last_seen_at), \
                 UPDATE (last_seen_at, software_version)",
    },
    Table {
        name: "staff",
        kiosk: "",
        kitchen: "SELECT, UPDATE (last_seen_at)",
        console: WRITE,
        worker: "SELECT (site_id, id, username, name, role, active, permissions_version, created_at, last_seen_at)",
    },
    Table {
        name: "customers",
        kiosk: APPEND,
        kitchen: APPEND,
        console: WRITE,
        worker: "SELECT (site_id, id, kind, name, language, active, created_at, updated_at)",
    },
    Table { name: "sessions", kiosk: "", kitchen: SESSIONS, console: SESSIONS, worker: "" },
    Table { name: "otp_codes", kiosk: "", kitchen: "", console: "SELECT", worker: "" },
    Table { name: "rate_limits", kiosk: LIMITS, kitchen: LIMITS, console: LIMITS, worker: "" },
    // The menu.
    Table::menu("tax_classes", WRITE),
    Table::menu("stations", WRITE),
    Table::menu("categories", WRITE),
    Table {
        name: "menu_items",
        kiosk: "SELECT",
        kitchen: "SELECT, UPDATE (available, updated_at, version)",
        console: WRITE,
        worker: "SELECT",
    },
    Table::menu("option_groups", WRITE),
    Table {
        name: "option_choices",
        kiosk: "SELECT",
        kitchen: "SELECT, UPDATE (available)",
        console: WRITE,
        worker: "SELECT",
    },
    Table {
        name: "promotions",
        kiosk: "SELECT, UPDATE (uses)",
        kitchen: "SELECT, UPDATE (uses)",
        console: WRITE,
        worker: "SELECT, UPDATE (uses)",
    },
    Table::menu("consumption", "SELECT, INSERT, UPDATE, DELETE"),
    // Stock: the counters move, the ledger only grows.
    Table { name: "stock_items", kiosk: STOCK, kitchen: STOCK, console: WRITE, worker: STOCK },
    Table::all("stock_movements", APPEND),
    Table::all("reservations", "SELECT, INSERT, UPDATE (quantity, state, restocked, wasted, ended_at)"),
    // Orders.
    Table {
        name: "carts",
        kiosk: "SELECT, INSERT, UPDATE",
        kitchen: "SELECT, INSERT, UPDATE",
        console: "SELECT, INSERT, UPDATE",
        worker: "SELECT, UPDATE, DELETE",
    },
    Table {
        name: "cart_lines",
        kiosk: "SELECT, INSERT, UPDATE, DELETE",
        kitchen: "SELECT, INSERT, UPDATE, DELETE",
        console: "SELECT, INSERT, UPDATE, DELETE",
        worker: "SELECT, DELETE",
    },
    Table::all("orders", ORDERS),
    Table::all("order_lines", "SELECT, INSERT, UPDATE (voided, restocked, wasted, done)"),
    Table::all("order_history", APPEND),
    Table::all("number_counters", "SELECT, INSERT, UPDATE (last_sequence)"),
    Table::all("slot_counters", "SELECT, INSERT, UPDATE (claimed)"),
    Table::all("promotion_uses", "SELECT, INSERT, UPDATE (state, ended_at)"),
    // The kitchen and the couriers.
    Table::all("tickets", "SELECT, INSERT, UPDATE (bumped_at, recalled_at)"),
    Table::all("ticket_items", APPEND),
    Table {
        name: "delivery_assignments",
        kiosk: "SELECT",
        kitchen: ASSIGNMENTS,
        console: ASSIGNMENTS,
        worker: ASSIGNMENTS,
    },
    Table { name: "delivery_checkpoints", kiosk: "", kitchen: APPEND, console: APPEND, worker: "SELECT" },
    Table { name: "reviews", kiosk: APPEND, kitchen: "", console: "SELECT", worker: "SELECT" },
    // Money. A kiosk begins refunds (a capture that came too late); it never settles one.
    Table::all("payment_attempts", ATTEMPTS),
    Table { name: "refunds", kiosk: APPEND, kitchen: REFUNDS, console: REFUNDS, worker: REFUNDS },
    Table { name: "webhook_events", kiosk: APPEND, kitchen: APPEND, console: APPEND, worker: APPEND },
    Table::all("gateway_states", WRITE),
    // The simulated providers' own memory: another company's database.
    Table::all("simulated_charges", WRITE),
    Table::all("simulated_refunds", WRITE),
    Table {
        name: "till_shifts",
        kiosk: "",
        kitchen: "SELECT, INSERT, UPDATE (balance, last_movement, closed_by, closed_at, counted, expected, over_short, note)",
        console: "SELECT, INSERT, UPDATE (balance, last_movement, closed_by, closed_at, counted, expected, over_short, note)",
        worker: "SELECT",
    },
    Table { name: "drawer_movements", kiosk: "", kitchen: APPEND, console: APPEND, worker: "SELECT" },
    // What stands behind the door and the worker. The audit log is written by all and read by few.
    Table {
        name: "idempotency_keys",
        kiosk: APPEND,
        kitchen: APPEND,
        console: APPEND,
        worker: "SELECT, INSERT, DELETE",
    },
    Table { name: "audit_log", kiosk: "INSERT", kitchen: "INSERT", console: APPEND, worker: APPEND },
    Table { name: "audit_seals", kiosk: "", kitchen: "", console: "SELECT", worker: APPEND },
    Table {
        name: "outbox",
        kiosk: "INSERT",
        kitchen: "INSERT",
        console: APPEND,
        worker: "SELECT, INSERT, UPDATE (tries, next_try_at, sent_at, parked_at, last_error)",
    },
    Table {
        name: "notifications",
        kiosk: "SELECT, UPDATE (read_at)",
        kitchen: "SELECT, UPDATE (read_at)",
        console: "SELECT, UPDATE (read_at)",
        worker: WRITE,
    },
    Table { name: "worker_lease", kiosk: "SELECT", kitchen: "SELECT", console: "SELECT", worker: WRITE },
    // The reports: triggers mark what changed with the rights of the owner; whoever leads keeps the summaries.
    Table::summaries("report_changes"),
    Table::summaries("report_basis"),
    Table::summaries("report_orders"),
    Table::summaries("report_sales"),
    Table::summaries("report_items"),
    Table::summaries("report_hours"),
    Table::summaries("report_speed"),
    Table::summaries("report_refunds"),
    Table::summaries("report_waste"),
    // Only the owner archives: nobody else deletes what is kept for ever.
    // A till's report says where its orders are archived, and a kitchen closes tills.
    Table { name: "archive_runs", kiosk: "", kitchen: "SELECT", console: "SELECT", worker: "SELECT" },
    Table { name: "archived_stock", kiosk: "", kitchen: "", console: "SELECT", worker: "SELECT" },
    Table { name: "archived_drawers", kiosk: "", kitchen: "SELECT", console: "SELECT", worker: "SELECT" },
    Table { name: "archived_days", kiosk: "", kitchen: "SELECT", console: "SELECT", worker: "SELECT" },
    Table { name: "archived_slots", kiosk: "", kitchen: "", console: "SELECT", worker: "SELECT" },
    Table { name: "archived_promotions", kiosk: "", kitchen: "", console: "SELECT", worker: "SELECT" },
    Table { name: "archived_seals", kiosk: "", kitchen: "", console: "SELECT", worker: "SELECT" },
    Table {
        name: "backups",
        kiosk: "",
        kitchen: "",
        console: "SELECT, INSERT, UPDATE",
        worker: "SELECT, INSERT, UPDATE",
    },
    Table {
        name: "doctor_runs",
        kiosk: "",
        kitchen: "",
        console: "SELECT, INSERT, DELETE",
        worker: "SELECT, INSERT, DELETE",
    },
];

/// The prefix of the roles' names unless the operator chooses another.
pub const DEFAULT_PREFIX: &str = "servery_";

/// Whether a prefix makes names that need no quotes: small letters, digits and underscores, a letter first, at
/// most 40.
#[must_use]
pub fn is_prefix(prefix: &str) -> bool {
    prefix.starts_with(|first: char| first.is_ascii_lowercase())
        && prefix.len() <= 40
        && prefix.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
}

/// The SQL that gives these roles their rights, and takes every other one away. It may be run again at any time,
/// and is to be run again after each migration. The prefix must be one ([`is_prefix`]).
#[must_use]
pub fn sql(roles: &[StoreRole], prefix: &str) -> String {
    let mut out = String::from(
        "-- Run as the owner of the store's tables, in its database, after every `servery db migrate`:\n\
         --   servery db grants | psql -v ON_ERROR_STOP=1 DATABASE\n\
         -- The roles are yours to make, once:\n",
    );
    // Writing into a text cannot fail.
    for role in roles {
        let _ = writeln!(out, "--   CREATE ROLE {prefix}{role} LOGIN PASSWORD '...';");
    }
    out.push_str(
        "BEGIN;\n\
         -- Nobody but the owner defines tables, not even temporary ones that could stand in front of ours.\n\
         REVOKE CREATE ON SCHEMA public FROM PUBLIC;\n\
         DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$;\n",
    );
    for role in roles {
        let name = format!("{prefix}{role}");
        let _ = writeln!(out, "\nREVOKE ALL ON SCHEMA public FROM {name};");
        let _ = writeln!(out, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name};");
        let _ = writeln!(out, "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {name};");
        let _ = writeln!(out, "GRANT USAGE ON SCHEMA public TO {name};");
        for table in TABLES {
            let rights = table.of(*role);
            if !rights.is_empty() {
                let _ = writeln!(out, "GRANT {rights} ON {} TO {name};", table.name);
            }
        }
        if *role == StoreRole::Console {
            // pg_dump reads them too: a manager may make a backup.
            let _ = writeln!(out, "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {name};");
        }
    }
    out.push_str("COMMIT;\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_kiosk_has_nothing_on_people_and_money_drawers_and_nobody_rewrites_what_is_written_once() {
        for table in TABLES {
            if ["staff", "sessions", "otp_codes", "till_shifts", "drawer_movements", "audit_seals"]
                .contains(&table.name)
            {
                assert_eq!(table.kiosk, "", "{}", table.name);
            }
            if ["audit_log", "audit_seals", "stock_movements", "order_history", "drawer_movements"]
                .contains(&table.name)
            {
                for role in StoreRole::ALL {
                    let rights = table.of(*role);
                    assert!(!rights.contains("UPDATE") && !rights.contains("DELETE"), "{role} on {}", table.name);
                }
            }
        }
        let names: BTreeSet<&str> = TABLES.iter().map(|table| table.name).collect();
        assert_eq!(names.len(), TABLES.len(), "each table is named once");
        for table in TABLES.iter().filter(|table| table.name == "orders") {
            assert!(StoreRole::ALL.iter().all(|role| !table.of(*role).contains("total")), "snapshots stay");
        }
    }

    #[test]
    fn prefixes_need_no_quotes() {
        assert!(is_prefix(DEFAULT_PREFIX) && is_prefix("a1_"));
        for prefix in ["", "1a", "A_", "a-b", "a; DROP", "a\"", &"a".repeat(41)] {
            assert!(!is_prefix(prefix), "{prefix}");
        }
    }
}
