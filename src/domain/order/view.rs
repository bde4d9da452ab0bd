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
