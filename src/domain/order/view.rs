//! The words of the five source systems for an order's state: `view_as(source, order)`.
//!
//! The specification's table "Views that keep each source's words true", cell by cell.

use super::{EndReason, Status};
use crate::domain::fulfilment::Fulfilment;
use crate::domain::payment::PaymentStatus;
use crate::words;
use serde::Serialize;

words!(
    /// One of the five source documents.
    Source, "source" {
        /// Chuks Kitchen.
        S000 = "000",
        /// E-commerce order flow.
        S001 = "001",
        /// Campus food ordering.
        S002 = "002",
        /// Nibble.
        S003 = "003",
        /// Dummy Stripe phase.
        S004 = "004",
    }
);

/// An order's state in a source's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SourceView {
    /// The status.
    pub status: &'static str,
    /// The payment status that stands beside it, in 001 and 002.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_status: Option<&'static str>,
}

/// The state of an order in the words of one source. Defined for every status, payment and
/// fulfilment (I26).
#[must_use]
pub fn view_as(
    source: Source,
    status: Status,
    reason: Option<EndReason>,
    paid: bool,
    fulfilment: Fulfilment,
    payment: PaymentStatus,
) -> SourceView {
    let word = match source {
        Source::S000 => match status {
            Status::Pending => "pending",
            Status::Completed => "paid",
            Status::Cancelled | Status::Expired | Status::Rejected => "cancelled",
            _ if paid => "paid",
            _ => "pending",
        },
        Source::S001 => match status {
            Status::Pending | Status::Received => "PENDING",
            Status::Confirmed | Status::Preparing | Status::Ready => "PROCESSING",
            Status::OutForDelivery => "SHIPPED",
            Status::Completed => "DELIVERED",
            Status::Cancelled | Status::Expired | Status::Rejected => "CANCELLED",
        },
        Source::S002 => match status {
            Status::Pending | Status::Received | Status::Confirmed => "received",
            Status::Preparing => "preparing",
            Status::Ready => "ready",
            Status::OutForDelivery => "out_for_delivery",
            Status::Completed => "completed",
            Status::Cancelled | Status::Expired | Status::Rejected => "cancelled",
        },
        Source::S003 => match status {
            Status::Pending => "pending",
            Status::Received => {
                if paid {
                    "paid"
                } else {
                    "pending"
                }
            }
            Status::Confirmed => "confirmed",
            Status::Preparing => "preparing",
            Status::Ready => "ready_for_pickup",
            Status::OutForDelivery => "picked_up",
            Status::Completed => {
                if fulfilment == Fulfilment::Delivery {
                    "delivered"
                } else {
                    "completed"
                }
            }
            Status::Cancelled if reason == Some(EndReason::PaymentFailed) => "payment_failed",
            Status::Cancelled | Status::Expired => "cancelled",
            Status::Rejected => "rejected",
        },
        Source::S004 => match status {
            Status::Pending => "pending",
            Status::Completed => "confirmed",
            Status::Cancelled | Status::Expired | Status::Rejected => "cancelled",
            _ if paid => "confirmed",
            _ => "pending",
        },
    };
    let payment_status = match source {
        Source::S001 => Some(match payment {
            PaymentStatus::Pending => "PENDING",
            PaymentStatus::Paid | PaymentStatus::PartiallyRefunded => "PAID",
            PaymentStatus::Failed => "FAILED",
            PaymentStatus::Refunded => "REFUNDED",
        }),
        Source::S002 => Some(match payment {
            PaymentStatus::Pending => "pending",
            PaymentStatus::Paid | PaymentStatus::PartiallyRefunded => "paid",
            PaymentStatus::Failed => "failed",
            PaymentStatus::Refunded => "refunded",
        }),
        _ => None,
    };
    SourceView { status: word, payment_status }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification's table, cell by cell: status and end reason, then 000 to 004, each before
    /// and after the payment.
    const TABLE: [(&str, [&str; 5], [&str; 5]); 12] = [
        (
            "pending",
            ["pending", "PENDING", "received", "pending", "pending"],
            ["pending", "PENDING", "received", "pending", "pending"],
        ),
        (
            "received",
            ["pending", "PENDING", "received", "pending", "pending"],
            ["paid", "PENDING", "received", "paid", "confirmed"],
        ),
        (
            "confirmed",
            ["pending", "PROCESSING", "received", "confirmed", "pending"],
            ["paid", "PROCESSING", "received", "confirmed", "confirmed"],
        ),
        (
            "preparing",
            ["pending", "PROCESSING", "preparing", "preparing", "pending"],
            ["paid", "PROCESSING", "preparing", "preparing", "confirmed"],
        ),
        (
            "ready",
            ["pending", "PROCESSING", "ready", "ready_for_pickup", "pending"],
            ["paid", "PROCESSING", "ready", "ready_for_pickup", "confirmed"],
        ),
        (
            "out_for_delivery",
            ["pending", "SHIPPED", "out_for_delivery", "picked_up", "pending"],
            ["paid", "SHIPPED", "out_for_delivery", "picked_up", "confirmed"],
        ),
        (
            "completed",
            ["paid", "DELIVERED", "completed", "completed", "confirmed"],
            ["paid", "DELIVERED", "completed", "completed", "confirmed"],
        ),
        (
            "completed delivery",
            ["paid", "DELIVERED", "completed", "delivered", "confirmed"],
            ["paid", "DELIVERED", "completed", "delivered", "confirmed"],
        ),
        (
            "cancelled payment_failed",
            ["cancelled", "CANCELLED", "cancelled", "payment_failed", "cancelled"],
            ["cancelled", "CANCELLED", "cancelled", "payment_failed", "cancelled"],
        ),
        (
            "cancelled customer",
            ["cancelled", "CANCELLED", "cancelled", "cancelled", "cancelled"],
            ["cancelled", "CANCELLED", "cancelled", "cancelled", "cancelled"],
        ),
        (
            "expired",
            ["cancelled", "CANCELLED", "cancelled", "cancelled", "cancelled"],
            ["cancelled", "CANCELLED", "cancelled", "cancelled", "cancelled"],
        ),
        (
            "rejected",
            ["cancelled", "CANCELLED", "cancelled", "rejected", "cancelled"],
            ["cancelled", "CANCELLED", "cancelled", "rejected", "cancelled"],
        ),
    ];

    #[test]
    fn every_status_reads_as_the_specification_says() {
        for (state, unpaid, paid) in TABLE {
            let (status, detail) = state.split_once(' ').unwrap_or((state, ""));
            let status = Status::parse(status).expect("status");
            let fulfilment = if detail == "delivery" { Fulfilment::Delivery } else { Fulfilment::DineIn };
            let reason = EndReason::parse(detail);
            for (is_paid, words) in [(false, unpaid), (true, paid)] {
                for (source, word) in Source::ALL.iter().zip(words) {
                    let view = view_as(*source, status, reason, is_paid, fulfilment, PaymentStatus::Paid);
                    assert_eq!(view.status, word, "{state}, paid {is_paid}, in the words of {source}");
                }
            }
        }
    }

    #[test]
    fn two_sources_say_the_payment_beside_it() {
        use PaymentStatus::{Failed, PartiallyRefunded, Refunded};
        let beside =
            |source, payment| view_as(source, Status::Ready, None, true, Fulfilment::Pickup, payment).payment_status;
        for (payment, in_001, in_002) in [
            (PaymentStatus::Pending, "PENDING", "pending"),
            (PaymentStatus::Paid, "PAID", "paid"),
            (PartiallyRefunded, "PAID", "paid"),
            (Failed, "FAILED", "failed"),
            (Refunded, "REFUNDED", "refunded"),
        ] {
            assert_eq!(beside(Source::S001, payment), Some(in_001));
            assert_eq!(beside(Source::S002, payment), Some(in_002));
            for silent in [Source::S000, Source::S003, Source::S004] {
                assert_eq!(beside(silent, payment), None, "{silent}");
            }
        }
    }
}
