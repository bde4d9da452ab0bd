//! `servery order place` and `servery order pay`: from a cart to an order, and from an order to its
//! money. A card's number is never taken from the command line, where others could read it.

use super::app::Role;
use super::cart::{Which, cart_of, choices};
use super::desk::{Counter, Desk};
use super::output::Done;
use super::shape;
use crate::domain::error::Refused;
use crate::domain::fulfilment::Fulfilment;
use crate::domain::ids::CartId;
use crate::domain::money::Money;
use crate::domain::order::Source;
use crate::domain::payment::Method;
use crate::payment::card::{TEST_NUMBERS, TestOutcome};
use crate::payment::{CardDetails, Instrument};
use crate::service::cart::{CartAdd, CartFulfilment, CartNote, CartPromotion};
use crate::service::menu::ItemDetail;
use crate::service::order_queries::OrderName;
use crate::service::payments::{self, Paid, StartPayment, is_open};
use crate::service::place::PlaceOrder;
use crate::service::views::{AttemptView, OrderView};
use clap::{Args, ValueEnum};

/// An expiry that is far enough away for a test card.
const TEST_EXPIRY: &str = "12/49";

/// A test card, by what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TestCard {
    /// Taken
    Approved,
    /// Declined
    Declined,
    /// Declined: insufficient funds
    InsufficientFunds,
    /// Declined: expired
    Expired,
    /// Declined: wrong security code
    IncorrectCvc,
    /// Declined: an error on the provider's side
    ProcessingError,
    /// No answer, but the money is taken
    TimeoutCaptured,
    /// No answer, and the money is never taken
    Timeout,
}

impl TestCard {
    fn outcome(self) -> TestOutcome {
        match self {
            Self::Approved => TestOutcome::Approved,
            Self::Declined => TestOutcome::Declined("card_declined"),
            Self::InsufficientFunds => TestOutcome::Declined("insufficient_funds"),
            Self::Expired => TestOutcome::Declined("expired_card"),
            Self::IncorrectCvc => TestOutcome::Declined("incorrect_cvc"),
            Self::ProcessingError => TestOutcome::Declined("processing_error"),
            Self::TimeoutCaptured => TestOutcome::TimeoutThenCaptured,
            Self::Timeout => TestOutcome::Timeout,
        }
    }
}

/// What the customer pays with.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Paying {
    /// Pay with this test card; else the card is read from a prompt or standard input, as
    /// NUMBER MM/YY CVC
    #[arg(long, value_enum, value_name = "OUTCOME")]
    test_card: Option<TestCard>,
}

/// What is placed.
#[derive(Debug, Args)]
pub struct Place {
    /// How it is paid: card, upi or cash
    #[arg(long)]
    method: Method,
    /// First put this into the cart: CODE or CODE=QUANTITY; may be given several times
    #[arg(long = "item", value_name = "CODE[=QUANTITY]")]
    items: Vec<String>,
    /// The name or pager number to call
    #[arg(long)]
    name: Option<String>,
    /// pickup, dine_in or delivery
    #[arg(long, value_parser = Fulfilment::parse)]
    fulfilment: Option<Fulfilment>,
    /// Where a delivery goes
    #[arg(long, value_name = "TEXT")]
    address: Option<String>,
    /// A note for the kitchen
    #[arg(long)]
    note: Option<String>,
    /// Use this promotion code
    #[arg(long, value_name = "CODE")]
    promotion: Option<String>,
    /// Pay at once
    #[arg(long)]
    pay: bool,
    #[command(flatten)]
    paying: Paying,
    /// The order that failed and that this one tries again
    #[arg(long, value_name = "ORDER")]
    retry_of: Option<String>,
    /// Refuse any total but this
    #[arg(long, value_name = "AMOUNT")]
    expect_total: Option<String>,
    #[command(flatten)]
    which: Which,
    /// Print the order as this source does: 000 to 004
    #[arg(long = "as", value_name = "SOURCE")]
    source: Option<Source>,
}

/// What is paid.
#[derive(Debug, Args)]
pub struct Pay {
    /// The order: its id, its number, or today's number
    order: String,
    #[command(flatten)]
    paying: Paying,
    /// Print the order as this source does: 000 to 004
    #[arg(long = "as", value_name = "SOURCE")]
    source: Option<Source>,
}

impl Paying {
    fn instrument(self, method: Method, desk: &Desk) -> Result<Instrument, Refused> {
        if method == Method::Upi {
            return Ok(Instrument::UpiIntent);
        }
        let Some(card) = self.test_card else {
            let typed = desk.secret("Card (NUMBER MM/YY CVC)")?;
            let mut words: Vec<&str> = typed.split_whitespace().collect();
            let (cvc, expiry) = (words.pop().unwrap_or_default(), words.pop().unwrap_or_default());
            return CardDetails::parse(&words.concat(), expiry, cvc).map(Instrument::Card);
        };
        let number = TEST_NUMBERS.iter().find(|(_, outcome)| *outcome == card.outcome()).map(|(number, _)| *number);
        let number = number.ok_or_else(|| Refused::internal("there is no such test card"))?;
        CardDetails::parse(number, TEST_EXPIRY, "123").map(Instrument::Card)
    }
}

/// Places an order.
///
/// # Errors
/// What Place refuses; `PAYMENT_FAILED` or `INSUFFICIENT_STOCK` with the order where it was to be paid
/// at once and ended so.
pub async fn place(place: Place, desk: &Desk) -> Done {
    let mut counter = desk.counter(Role::Command).await?;
    let prepaid = place.pay && place.method.is_prepaid();
    // A key that is missing, or a card that cannot be read, is found before anything is placed.
    let instrument = if prepaid {
        counter.ready_gateway(place.method)?;
        Some(place.paying.instrument(place.method, desk)?)
    } else {
        None
    };
    let currency = counter.house.site.currency;
    let expected_total =
        place.expect_total.as_deref().map(|text| Money::parse("expect-total", text, currency)).transpose()?;
    let retry_of = match &place.retry_of {
        Some(named) => Some(counter.find_order(named).await?.id),
        None => None,
    };
    let cart = filled_cart(&place, &mut counter).await?;
    let placed = counter
        .execute(PlaceOrder {
            cart,
            method: place.method,
            called_name: place.name.clone(),
            pay_now: place.pay,
            delivery_address: place.address.clone(),
            retry_of,
            expected_total: expected_total.map(|total| total.0),
        })
        .await?;
    let key = counter.key().map(str::to_owned);
    counter.actor.pocket.place(placed.order.id, cart, key.as_deref());
    counter.actor.keep()?;
    match (instrument, &placed.attempt) {
        (Some(instrument), Some(attempt)) => {
            charge(&mut counter, &placed.order, attempt, instrument, place.source).await
        }
        _ => counter.order(&placed.order, place.source),
    }
}

/// The cart to place, with what the flags put into it. The cart of an order that was placed with the
/// same key is left as it is.
async fn filled_cart(place: &Place, counter: &mut Counter<'_>) -> Result<CartId, Refused> {
    let pocket = &counter.actor.pocket;
    let key = counter.key();
    let before = pocket.placed.iter().rev().find(|placed| key.is_some() && placed.key.as_deref() == key);
    if let Some(before) = before {
        return Ok(before.cart);
    }
    let is_new = place.which.cart.is_none() && pocket.cart.is_none();
    let cart = cart_of(counter, place.which)?;
    let door = counter.house.door.clone();
    let caller = counter.actor.caller.clone();
    // The parts of filling it have no key of their own: the order's key is for the order.
    if is_new || place.fulfilment.is_some() {
        let fulfilment = place.fulfilment.unwrap_or(Fulfilment::Pickup);
        door.execute(&caller, None, CartFulfilment { cart, fulfilment }).await?;
    }
    for named in &place.items {
        let (code, quantity) = match named.rsplit_once('=') {
            Some((code, quantity)) => {
                let quantity = quantity.parse().map_err(|_| Refused::invalid("item", "Say CODE or CODE=QUANTITY."))?;
                (code, quantity)
            }
            None => (named.as_str(), 1),
        };
        let item = counter.ask(ItemDetail { item: code.to_owned() }).await?;
        let options = choices(&item, &[])?;
        door.execute(&caller, None, CartAdd { cart, item: item.id, options, quantity, note: String::new() }).await?;
    }
    if let Some(note) = &place.note {
        door.execute(&caller, None, CartNote { cart, line: None, note: note.clone() }).await?;
    }
    if let Some(code) = &place.promotion {
        door.execute(&caller, None, CartPromotion { cart, code: Some(code.clone()) }).await?;
    }
    Ok(cart)
}

/// Pays an order.
///
/// # Errors
/// What T5a refuses; `PAYMENT_FAILED` or `INSUFFICIENT_STOCK` with the order that ended so.
pub async fn pay(pay: Pay, desk: &Desk) -> Done {
    let mut counter = desk.counter(Role::Command).await?;
    let order = counter.find_order(&pay.order).await?;
    counter.ready_gateway(order.method)?;
    let instrument = if order.method.is_prepaid() { Some(pay.paying.instrument(order.method, desk)?) } else { None };
    let begun = counter.execute(StartPayment { order: order.id }).await?;
    if let Some(code) = begun.code {
        counter.actor.pocket.reopen(order.id);
        counter.actor.keep()?;
        return Err(counter.ended(&begun.order, pay.source, code, begun.reason.as_deref().unwrap_or_default()));
    }
    let attempt = begun.order.attempts.iter().rev().find(|attempt| is_open(attempt)).cloned();
    match (instrument, attempt) {
        (Some(instrument), Some(attempt)) => charge(&mut counter, &begun.order, &attempt, instrument, pay.source).await,
        _ => counter.order(&begun.order, pay.source),
    }
}

async fn charge(
    counter: &mut Counter<'_>,
    order: &OrderView,
    attempt: &AttemptView,
    instrument: Instrument,
    source: Option<Source>,
) -> Done {
    let Paid { outcome, payload } =
        payments::pay(&counter.house.door, &counter.house.gateways, order, attempt, instrument).await?;
    if let Some(code) = outcome.code {
        counter.actor.pocket.reopen(order.id);
        counter.actor.keep()?;
        return Err(counter.ended(&outcome.order, source, code, outcome.reason.as_deref().unwrap_or_default()));
    }
    if outcome.order.attempts.iter().any(|attempt| attempt.unknown) {
        counter.output().say("The payment service has not answered yet. It is asked again until it does.");
    }
    match (payload, source) {
        (Some(payload), None) if counter.output().json => {
            let mut value = shape::own(&outcome.order, order.currency)?;
            if let Some(map) = value.as_object_mut() {
                map.insert("upi_payload".to_owned(), payload.into());
            }
            counter.output().answer(&value, String::new)
        }
        (payload, source) => {
            if let Some(payload) = payload.filter(|_| !counter.output().json) {
                counter.output().say(&format!("The customer pays with their UPI app: {payload}"));
            }
            counter.order(&outcome.order, source)
        }
    }
}

impl Counter<'_> {
    /// An order by its id, its number, or today's number.
    ///
    /// # Errors
    /// `NOT_FOUND`; `FORBIDDEN` for somebody else's.
    pub async fn find_order(&self, named: &str) -> Result<OrderView, Refused> {
        let order: OrderName = named.parse().unwrap_or_else(|never: std::convert::Infallible| match never {});
        self.ask(crate::service::order_queries::ShowOrder { order }).await
    }
}
