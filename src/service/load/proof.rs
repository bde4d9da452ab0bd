//! The proof after a race for the last units: everything is counted again from the ledger, the holds,
//! the orders and the payments, compared with what the terminals were told, and doctor looks at the
//! whole store. Nothing here trusts a sum that the house keeps.

use crate::domain::error::Refused;
use crate::service::Door;
use crate::store::doctor;
use crate::store::recount::{self, SalesCount, StockCount};
use serde::{Deserialize, Serialize};

/// What must be found, by what the terminals were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The units that there were, of which one order takes one.
    pub units: i64,
    /// Orders that were told to be placed and paid.
    pub sold: i64,
    /// Attempts that were refused because there was not enough.
    pub refused: i64,
    /// Attempts that ended in an error: each may or may not have become an order.
    pub unknown: i64,
}

/// One statement of the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofCheck {
    /// What must hold, with the number of the invariant.
    pub name: String,
    /// Whether it does.
    pub holds: bool,
    /// The figures, or what doctor found.
    pub found: String,
}

/// The proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The contested stock item, counted again.
    pub stock: StockCount,
    /// The sales of the site, counted again.
    pub sales: SalesCount,
    /// Every statement.
    pub checks: Vec<ProofCheck>,
}

impl Proof {
    /// Whether every statement holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }
}

/// Counts a site again on which nothing but a race for the stock item `code` took place.
///
/// # Errors
/// `NOT_FOUND` for a stock item that there is not; `STORE_UNAVAILABLE`.
pub async fn prove(door: &Door, code: &str, expected: &Expected) -> Result<Proof, Refused> {
    let site = door.site_id();
    let mut tx = door.store().read().await?;
    let stock = recount::stock(&mut tx, site, code).await?.ok_or_else(|| Refused::not_found("stock item", code))?;
    let sales = recount::sales(&mut tx, site).await?;
    tx.rollback().await?;
    let mut checks = judged(&stock, &sales, expected);
    let report = doctor::examine(door.store(), site).await?;
    let found: Vec<String> = report
        .violations()
        .map(|check| format!("{}: {}", check.name, check.violation.as_deref().unwrap_or_default()))
        .collect();
    let rows: i64 = report.checks.iter().map(|check| check.rows_examined).sum();
    checks.push(ProofCheck {
        name: "doctor finds nothing that disagrees".to_owned(),
        holds: found.is_empty(),
        found: if found.is_empty() { format!("{rows} rows examined") } else { found.join("; ") },
    });
    Ok(Proof { stock, sales, checks })
}

fn judged(stock: &StockCount, sales: &SalesCount, expected: &Expected) -> Vec<ProofCheck> {
    let StockCount { opening, on_hand, reserved, moved, sold, held, committed } = *stock;
    let Expected { units, sold: told, refused, unknown } = *expected;
    let paid = sales.paid_orders;
    let check = |name: &str, holds: bool, found: String| ProofCheck { name: name.to_owned(), holds, found };
    vec![
        check(
            "I1 no more is held than there is",
            0 <= reserved && reserved <= on_hand,
            format!("{reserved} held of {on_hand} on hand"),
        ),
        check(
            "I2 what is there is the opening count and the ledger",
            on_hand == opening + moved && reserved == held,
            format!("{on_hand} on hand, {opening} + {moved} in the ledger; {reserved} reserved, {held} in holds"),
        ),
        check(
            "I3 what left the stock was paid for",
            sold == sales.paid_pieces,
            format!("{sold} sold by the ledger, {} on paid orders", sales.paid_pieces),
        ),
        check(
            "I4 every hold has ended once",
            committed == sold && (held == 0 || (unknown > 0 && held <= unknown)),
            format!("{committed} holds ended in a sale of {sold}, {held} still run"),
        ),
        check(
            "I5 no unit is lost or made",
            on_hand + sold == units,
            format!("{on_hand} left and {sold} sold of {units}"),
        ),
        check(
            "orders paid are the sales that were told",
            told <= paid && paid <= told + unknown,
            format!("{paid} orders paid, {told} told, {unknown} unknown"),
        ),
        check(
            "nobody was refused while there was something left",
            refused == 0 || unknown > 0 || on_hand == 0,
            format!("{refused} refused, {on_hand} left"),
        ),
        check(
            "I10 every order is paid once, and in full",
            sales.captures == paid && sales.captured == sales.due && sales.strays == 0,
            format!(
                "{} payments for {paid} orders, {} captured of {} due, {} astray",
                sales.captures, sales.captured, sales.due, sales.strays
            ),
        ),
        check(
            "I14 order numbers are dense and unlike",
            sales.uneven_days == 0,
            format!("{} days with a gap or a double", sales.uneven_days),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOCK: StockCount =
        StockCount { opening: 40, on_hand: 0, reserved: 0, moved: -40, sold: 50, held: 0, committed: 50 };
    const SALES: SalesCount = SalesCount {
        paid_orders: 50,
        paid_pieces: 50,
        due: 5_000,
        captures: 50,
        captured: 5_000,
        strays: 0,
        uneven_days: 0,
    };
    const EXPECTED: Expected = Expected { units: 50, sold: 50, refused: 150, unknown: 0 };

    fn broken(stock: StockCount, sales: SalesCount, expected: Expected) -> Vec<String> {
        let checks = judged(&stock, &sales, &expected);
        checks.into_iter().filter(|check| !check.holds).map(|check| check.name[..2].to_owned()).collect()
    }

    #[test]
    fn a_race_that_adds_up_is_proven() {
        assert_eq!(broken(STOCK, SALES, EXPECTED), Vec::<String>::new());
    }

    #[test]
    fn each_violation_is_named() {
        assert_eq!(broken(StockCount { on_hand: 1, moved: -39, ..STOCK }, SALES, EXPECTED), ["I5", "no"]);
        assert_eq!(broken(StockCount { moved: -41, ..STOCK }, SALES, EXPECTED), ["I2"]);
        assert_eq!(broken(StockCount { reserved: 1, held: 1, ..STOCK }, SALES, EXPECTED), ["I1", "I4"]);
        assert_eq!(broken(STOCK, SalesCount { paid_pieces: 51, ..SALES }, EXPECTED), ["I3"]);
        assert_eq!(broken(STOCK, SALES, Expected { sold: 51, ..EXPECTED }), ["or"]);
        assert_eq!(broken(STOCK, SalesCount { captures: 51, ..SALES }, EXPECTED), ["I1"]);
        assert_eq!(broken(STOCK, SalesCount { uneven_days: 1, ..SALES }, EXPECTED), ["I1"]);
    }

    #[test]
    fn an_attempt_without_an_answer_may_have_sold() {
        let expected = Expected { sold: 49, unknown: 1, ..EXPECTED };
        assert_eq!(broken(STOCK, SALES, expected), Vec::<String>::new());
    }
}
