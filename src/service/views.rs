//! What queries and commands answer: plain data for screens, the command line and tests. No rule and
//! no SQL; amounts are minor units, instants microseconds.

use crate::domain::cart::CartChange;
use crate::domain::consumption::Availability;
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::{
    AttemptId, CartId, CartLineId, CategoryId, CustomerId, ItemId, LineId, OptionGroupId, OptionId, OrderId, RefundId,
    ShiftId, StationId,
};
use crate::domain::menu::{Allergen, Diet};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{EndReason, Status};
use crate::domain::payment::{AttemptMethod, AttemptStatus, Method, PaymentStatus, RefundStatus};
use crate::domain::price_trace::PriceTrace;
use crate::domain::time::Timestamp;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// The menu as a customer sees it now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MenuView {
    /// The site's name.
    pub site: String,
    /// Its money.
    pub currency: Currency,
    /// Whether this is the demo store.
    pub demo: bool,
    /// Rises when something about the menu changes.
    pub version: i64,
    /// The site's time zone, to say when the next slot starts.
    pub zone: Tz,
    /// After so many seconds without a touch a kiosk asks whether somebody is still there; 0: never.
    pub kiosk_idle_seconds: i64,
    /// So many seconds later it forgets the customer.
    pub kiosk_warning_seconds: i64,
    /// Whether orders are taken now.
    pub open: bool,
    /// The time slot that is on.
    pub slot: Option<String>,
    /// When the next slot starts, if none is on.
    pub next_slot_at: Option<Timestamp>,
    /// The name of the next slot.
    pub next_slot: Option<String>,
    /// Ways of getting the order that are offered: delivery only by a process that can seal addresses.
    pub fulfilments: Vec<Fulfilment>,
    /// What a delivery adds to the total.
    pub delivery_charge: Money,
    /// Ways of paying that are offered.
    pub methods: Vec<Method>,
    /// The categories with something to show, in order.
    pub categories: Vec<CategoryView>,
    /// The items, in order within their category.
    pub items: Vec<ItemView>,
}

/// A category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryView {
    /// Its identity.
    pub id: CategoryId,
    /// Its name.
    pub name: String,
}

/// An item of the menu.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemView {
    /// Its identity.
    pub id: ItemId,
    /// Its category.
    pub category_id: CategoryId,
    /// Its short code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Its price without options.
    pub price: Money,
    /// Its diet.
    pub diet: Diet,
    /// Its allergens.
    pub allergens: Vec<Allergen>,
    /// How hot it is, 0 to 3.
    pub spicy: u8,
    /// How long it takes, in minutes.
    pub prep_minutes: u16,
    /// A small picture of characters.
    pub glyph: Option<String>,
    /// Whether it can be ordered now, and how many are left.
    pub availability: Availability,
    /// Its options.
    pub option_groups: Vec<OptionGroupView>,
}

/// A group of options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptionGroupView {
    /// Its identity.
    pub id: OptionGroupId,
    /// Its name.
    pub name: String,
    /// At least so many are chosen.
    pub min: u32,
    /// At most so many are chosen.
    pub max: u32,
    /// The choices.
    pub choices: Vec<ChoiceView>,
}

/// A choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChoiceView {
    /// Its identity.
    pub id: OptionId,
    /// Its name.
    pub name: String,
    /// What it adds to the price; may be negative.
    pub price_delta: Money,
    /// Whether it can be chosen now.
    pub available: bool,
}

/// A cart with its quote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CartView {
    /// Its identity.
    pub id: CartId,
    /// How the order is to reach the customer, once chosen.
    pub fulfilment: Option<Fulfilment>,
    /// A note for the kitchen.
    pub note: String,
    /// The lines.
    pub lines: Vec<CartLineView>,
    /// Units in all lines.
    pub total_items: i64,
    /// Σ lines.
    pub subtotal: Money,
    /// What a promotion takes off.
    pub discount: Money,
    /// The tax.
    pub tax: Money,
    /// Whether the tax is contained in the prices.
    pub tax_inclusive: bool,
    /// The delivery fee.
    pub delivery: Money,
    /// What is to be paid.
    pub total: Money,
    /// Why it is that much.
    pub trace: PriceTrace,
    /// The promotion code that was typed.
    #[serde(default)]
    pub promotion: Option<CartPromotionView>,
    /// What changed on the menu since the lines were added, with the line that it is about.
    pub changes: Vec<CartChange>,
}

/// The promotion code of a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CartPromotionView {
    /// The code.
    pub code: String,
    /// Why it takes nothing off now, in the word of `domain::promo`'s refusal (`minimum`, `ended`); with this the cart
    /// cannot be ordered.
    pub refused: Option<String>,
}

/// A line of a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CartLineView {
    /// Its identity.
    pub id: CartLineId,
    /// The item.
    pub item_id: ItemId,
    /// Its name.
    pub name: String,
    /// The chosen options' names.
    pub options: Vec<String>,
    /// Units.
    pub quantity: i32,
    /// The price of one with its options.
    pub unit_price: Money,
    /// The line's total.
    pub line_total: Money,
    /// A note for the kitchen.
    pub note: String,
    /// How many this line could have in all; `None`: not counted.
    pub left: Option<i64>,
}

/// What Place answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The order.
    pub order: OrderView,
    /// The attempt that was written with it ("pay now").
    pub attempt: Option<AttemptView>,
}

/// An order with all that stands about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderView {
    /// Its identity.
    pub id: OrderId,
    /// `ORD-YYYYMMDD-NNN`.
    pub order_number: String,
    /// The number that is called.
    pub pickup_number: String,
    /// The business date, YYYY-MM-DD.
    pub business_date: String,
    /// Where it stands.
    pub status: Status,
    /// Why it ended, if it was dropped.
    pub reason: Option<EndReason>,
    /// The reason in words.
    pub reason_text: Option<String>,
    /// Rises with every move.
    pub version: i64,
    /// How it reaches the customer.
    pub fulfilment: Fulfilment,
    /// How it is to be paid.
    pub method: Method,
    /// Whether it is paid.
    pub paid: bool,
    /// The computed payment status.
    pub payment_status: PaymentStatus,
    /// Whose it is.
    pub customer: CustomerId,
    /// The name or pager number to call.
    pub called_name: Option<String>,
    /// The currency.
    pub currency: Currency,
    /// Σ lines.
    pub subtotal: Money,
    /// The discount.
    pub discount: Money,
    /// The tax.
    pub tax: Money,
    /// Whether the tax is contained in the prices.
    pub tax_inclusive: bool,
    /// The delivery fee.
    pub delivery_charge: Money,
    /// The total at Place.
    pub total: Money,
    /// The total less what voided lines took off.
    pub due: Money,
    /// The customer's note.
    pub note: Option<String>,
    /// The kitchen's note.
    pub staff_note: Option<String>,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it last moved.
    pub updated_at: Timestamp,
    /// When the kitchen could first see it.
    pub received_at: Option<Timestamp>,
    /// When it became ready.
    pub ready_at: Option<Timestamp>,
    /// When it is promised.
    pub estimated_ready_at: Option<Timestamp>,
    /// When the hold lapses (pending).
    pub expires_at: Option<Timestamp>,
    /// Whether the one extension was used.
    pub hold_extended: bool,
    /// On hold until then.
    pub on_hold_until: Option<Timestamp>,
    /// Higher comes first.
    pub priority: i64,
    /// Whether it was paid and nobody came for it (T22b).
    #[serde(default)]
    pub uncollected: bool,
    /// Whether money came that it could not take (T29).
    #[serde(default)]
    pub late_payment: bool,
    /// Whether so many couriers fell out that none is named by itself any more (T18).
    #[serde(default)]
    pub assignment_escalated: bool,
    /// The order that this one retries.
    pub retry_of: Option<OrderId>,
    /// The lines.
    pub lines: Vec<OrderLineView>,
    /// The attempts.
    pub attempts: Vec<AttemptView>,
    /// The refunds.
    pub refunds: Vec<RefundView>,
    /// Why the total is what it is.
    pub trace: PriceTrace,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderLineView {
    /// Its identity.
    pub id: LineId,
    /// The item.
    pub item_id: ItemId,
    /// Its name when it was sold.
    pub name: String,
    /// The chosen options' names.
    pub options: Vec<String>,
    /// Units sold.
    pub quantity: i64,
    /// The price of one with its options.
    pub unit_price: Money,
    /// The line's total before discount and tax.
    pub line_total: Money,
    /// The line's share of the total.
    pub total_share: Money,
    /// Where it is made.
    pub station: Option<StationId>,
    /// The note.
    pub note: Option<String>,
    /// Units taken off.
    pub voided: i64,
    /// Units finished.
    pub done: i64,
    /// Units put back.
    pub restocked: i64,
    /// Units thrown away.
    pub wasted: i64,
}

/// An attempt to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptView {
    /// Its identity.
    pub id: AttemptId,
    /// The key under which the gateway knows it.
    pub key: String,
    /// What it was made with.
    pub method: AttemptMethod,
    /// Where it stands.
    pub status: AttemptStatus,
    /// How much.
    pub amount: Money,
    /// No answer yet.
    pub unknown: bool,
    /// A capture that the order could not take.
    pub stray: bool,
    /// The gateway's id of the order.
    pub gateway_order_id: Option<String>,
    /// The gateway's id of the payment.
    pub gateway_payment_id: Option<String>,
    /// The card's brand.
    pub brand: Option<String>,
    /// The card's last four digits.
    pub last_four: Option<String>,
    /// Why it failed.
    pub reason: Option<String>,
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundView {
    /// Its identity.
    pub id: RefundId,
    /// The attempt whose money goes back.
    pub attempt: AttemptId,
    /// How.
    pub method: AttemptMethod,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub status: RefundStatus,
    /// Why.
    pub reason: Option<String>,
}

/// A step of an order's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    /// The version that it made.
    pub version: i64,
    /// Where it was.
    pub from: Option<Status>,
    /// Where it went.
    pub to: Status,
    /// The row of the table.
    pub transition: String,
    /// The role of the actor.
    pub role: String,
    /// The name of the member of staff; only staff are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The name of the terminal; only staff are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// The reason given.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What the kitchen's board shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KitchenView {
    /// The site's name.
    pub site: String,
    /// Its money.
    pub currency: Currency,
    /// Whether this is the demo store.
    pub demo: bool,
    /// The stations, in order.
    pub stations: Vec<StationView>,
    /// The open tickets: priority first, then the oldest.
    pub tickets: Vec<TicketView>,
    /// Tickets that can still be recalled, newest first.
    pub recallable: Vec<TicketView>,
    /// The age that turns amber, in seconds.
    pub amber_seconds: i64,
    /// The age that turns red, in seconds.
    pub red_seconds: i64,
    /// After so many seconds without a key the person is signed out; 0: never.
    pub idle_seconds: i64,
    /// The open till shift of this terminal, or the only one of the site.
    pub shift: Option<ShiftId>,
    /// The instant of this view.
    pub now: Timestamp,
}

/// A station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationView {
    /// Its identity.
    pub id: StationId,
    /// Its name.
    pub name: String,
}

/// A ticket: an order as the kitchen sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicketView {
    /// The order.
    pub order: OrderId,
    /// The number that is called.
    pub pickup_number: String,
    /// The name that is called.
    pub called_name: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// The version, to bump exactly what was seen.
    pub version: i64,
    /// How it reaches the customer.
    pub fulfilment: Fulfilment,
    /// How it is paid.
    pub method: Method,
    /// Whether it is paid.
    pub paid: bool,
    /// All that was paid went back, or is on its way back (T27 leaves the order where it stands): nothing
    /// of it is to be made.
    #[serde(default)]
    pub refunded: bool,
    /// The amount due.
    pub due: Money,
    /// When the kitchen first saw it: the anchor of its age, which recall keeps.
    pub shown_at: Timestamp,
    /// When it is promised.
    pub estimated_ready_at: Option<Timestamp>,
    /// When it became ready.
    pub ready_at: Option<Timestamp>,
    /// Higher comes first.
    pub priority: i64,
    /// On hold until then.
    pub on_hold_until: Option<Timestamp>,
    /// Whether it came back by recall.
    pub recalled: bool,
    /// The customer's note.
    pub note: Option<String>,
    /// The kitchen's note.
    pub staff_note: Option<String>,
    /// The lines.
    pub lines: Vec<TicketLineView>,
}

/// A line of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketLineView {
    /// Its identity.
    pub id: LineId,
    /// The item.
    pub name: String,
    /// The chosen options' names.
    pub options: Vec<String>,
    /// Units still wanted.
    pub quantity: i64,
    /// Units voided.
    pub voided: i64,
    /// Of the units still wanted, those that a refund gave back, restocked or wasted: they are not to be
    /// made.
    #[serde(default)]
    pub refunded: i64,
    /// Units finished.
    pub done: i64,
    /// Where it is made.
    pub station: Option<StationId>,
    /// Its allergens' letters.
    pub allergens: Vec<Allergen>,
    /// The note.
    pub note: Option<String>,
}

/// A count of the all-day list: what is still to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllDayView {
    /// The item with its options.
    pub name: String,
    /// Units still to make.
    pub to_make: i64,
    /// Units done in open tickets.
    pub done: i64,
    /// Where it is made.
    pub station: Option<StationId>,
}

/// What the "now serving" board shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardView {
    /// The site's name.
    pub site: String,
    /// Whether this is the demo store.
    pub demo: bool,
    /// Numbers in preparation, oldest first.
    pub preparing: Vec<CalledNumber>,
    /// Numbers that are ready, newest first.
    pub ready: Vec<CalledNumber>,
    /// The instant of this view.
    pub now: Timestamp,
}

/// A number on the board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalledNumber {
    /// The order.
    pub order: OrderId,
    /// The number.
    pub number: String,
    /// The name, if one was given.
    pub name: Option<String>,
    /// When it became ready, or was first seen by the kitchen.
    pub since: Timestamp,
}

/// A page of a list, with the key of the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Pass it to get the next page; `None` on the last.
    pub next: Option<String>,
    /// How many there are in all.
    pub total: i64,
    /// Whether there are more than `total`: counting ended there, so that it costs no more in a long
    /// history than in a short one.
    #[serde(default)]
    pub at_least: bool,
}
