//! The kiosk: its effects as use cases, each with the guest who asked and the key of the visit.

use super::heartbeat::Heart;
use super::leading::Leading;
use super::screen::{Wishes, show};
use crate::cli::app::House;
use crate::domain::error::Refused;
use crate::domain::ids::{AttemptId, CartId, CustomerId, OrderId, TerminalId};
use crate::domain::payment::AttemptStatus;
use crate::payment::{CardDetails, Instrument, qr};
use crate::service::cart::{
    CartAcceptChanges, CartAdd, CartClear, CartFulfilment, CartNote, CartPromotion, CartRemove, CartSetQuantity,
    ShowCart,
};
use crate::service::menu::MenuNow;
use crate::service::order_queries::{OrderName, ShowOrder};
use crate::service::orders::{CancelOrder, ExtendHold};
use crate::service::payments::{self, Paid, StartPayment, is_open};
use crate::service::place::PlaceOrder;
use crate::service::terminals::{self, TerminalRole};
use crate::service::views::{AttemptView, OrderView};
use crate::service::{Caller, UseCase};
use crate::tui::screens::kiosk::{
    Guest, KioskApp, KioskCall, KioskEffect, KioskMsg, KioskReply, KioskSettings, PaymentCode,
};
use crate::worker::Options;
use futures::FutureExt;
use std::process::ExitCode;

/// Shows the kiosk until somebody with its exit PIN ends it.
///
/// # Errors
/// As `show`; the refusals of registering the terminal.
pub async fn run(house: House) -> Result<ExitCode, Refused> {
    let kiosk = Handler::new(&house).await?;
    let _heart = Heart::start(&house, kiosk.terminal);
    let mut app = KioskApp::new(KioskSettings::default());
    let worker = Leading::start(&house, Options::of_kiosk(&house.store));
    let shown = show(&house, &mut app, Wishes { mouse: true, wipe: true }, move |call: KioskCall| {
        let kiosk = kiosk.clone();
        async move { kiosk.carry_out(call).await }.boxed()
    })
    .await;
    worker.end().await;
    shown
}

/// Carries out what a kiosk asks for; cheap to clone.
#[derive(Clone)]
pub struct Handler {
    house: House,
    terminal: TerminalId,
}

/// One call: who asks, and under which key.
struct Ask<'a> {
    handler: &'a Handler,
    caller: Caller,
    key: Option<String>,
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handler").field("terminal", &self.terminal).finish_non_exhaustive()
    }
}

impl Handler {
    /// For a kiosk of this house, which becomes a registered terminal.
    ///
    /// # Errors
    /// `CONFLICT` for a terminal of this name with another role, `FORBIDDEN` for one that was revoked;
    /// `STORE_UNAVAILABLE`.
    pub async fn new(house: &House) -> Result<Self, Refused> {
        let name = house.terminal_name(TerminalRole::Kiosk);
        let terminal = terminals::register(&house.door, &name, TerminalRole::Kiosk).await?;
        Ok(Self { house: house.clone(), terminal })
    }

    /// Does what was asked for, as the guest who asked; the answer for the screen.
    pub async fn carry_out(&self, call: KioskCall) -> KioskMsg {
        KioskMsg { request: call.request, reply: self.reply(call).await }
    }

    async fn reply(&self, call: KioskCall) -> KioskReply {
        let caller = match call.guest {
            Some(Guest { customer, .. }) => Caller::Guest { customer, terminal: Some(self.terminal) },
            // The menu needs no guest; whoever looks at it may see nothing else.
            None => Caller::Guest { customer: CustomerId(self.house.door.new_id()), terminal: Some(self.terminal) },
        };
        let ask = Ask { handler: self, caller, key: call.key };
        match call.effect {
            KioskEffect::LoadMenu => {
                KioskReply::Menu(self.house.door.ask(&ask.caller, MenuNow::default()).await.map(Box::new))
            }
            KioskEffect::StartGuest => KioskReply::Guest(Ok(Guest {
                visit: self.house.door.new_id(),
                customer: CustomerId(self.house.door.new_id()),
                cart: CartId(self.house.door.new_id()),
            })),
            KioskEffect::LoadCart { cart } => {
                KioskReply::Cart(self.house.door.ask(&ask.caller, ShowCart { cart }).await.map(Box::new))
            }
            KioskEffect::AddToCart { cart, item, options, quantity, note } => {
                ask.cart(CartAdd { cart, item, options, quantity, note }).await
            }
            KioskEffect::SetQuantity { cart, line, quantity } => {
                ask.cart(CartSetQuantity { cart, line, quantity }).await
            }
            KioskEffect::RemoveLine { cart, line } => ask.cart(CartRemove { cart, line }).await,
            KioskEffect::ClearCart { cart } => ask.cart(CartClear { cart }).await,
            KioskEffect::SetFulfilment { cart, fulfilment } => ask.cart(CartFulfilment { cart, fulfilment }).await,
            KioskEffect::SetCartNote { cart, note } => ask.cart(CartNote { cart, line: None, note }).await,
            KioskEffect::SetPromotion { cart, code } => ask.cart(CartPromotion { cart, code }).await,
            KioskEffect::AcceptChanges { cart } => ask.cart(CartAcceptChanges { cart }).await,
            KioskEffect::Place { cart, method, called_name, address, retry_of, expected_total, pay_now } => {
                let place = PlaceOrder {
                    cart,
                    method,
                    called_name,
                    pay_now,
                    delivery_address: address.map(|address| address.0.to_string()),
                    retry_of,
                    expected_total: Some(expected_total),
                };
                KioskReply::Placed(ask.run(place).await.map(Box::new))
            }
            KioskEffect::PayCard { order, attempt, card } => {
                KioskReply::Order(ask.pay_card(order, attempt, &card).await.map(Box::new))
            }
            KioskEffect::PayUpi { order, attempt } => KioskReply::UpiCode(ask.pay_upi(order, attempt).await),
            KioskEffect::PollPayment { order } => KioskReply::Order(ask.poll(order).await.map(Box::new)),
            KioskEffect::LoadOrder { order } => KioskReply::Order(ask.order(order).await.map(Box::new)),
            KioskEffect::ExtendHold { order } => KioskReply::Order(ask.run(ExtendHold { order }).await.map(Box::new)),
            KioskEffect::CancelOrder { order } => KioskReply::Order(ask.cancel(order).await.map(Box::new)),
            KioskEffect::CheckExitPin { pin } => KioskReply::ExitPin(
                terminals::verify_exit_pin(&self.house.door, &self.house.secrets, self.terminal, &pin.0).await,
            ),
        }
    }
}

impl Ask<'_> {
    async fn run<U: UseCase>(&self, use_case: U) -> Result<U::Output, Refused> {
        self.handler.house.door.execute(&self.caller, self.key.as_deref(), use_case).await
    }

    async fn cart<U>(&self, use_case: U) -> KioskReply
    where
        U: UseCase<Output = crate::service::views::CartView>,
    {
        KioskReply::Cart(self.run(use_case).await.map(Box::new))
    }

    async fn order(&self, order: OrderId) -> Result<OrderView, Refused> {
        self.handler.house.door.ask(&self.caller, ShowOrder { order: OrderName::Id(order) }).await
    }

    /// The order with the attempt to pay: the one that is open, else a new one. An order that ended
    /// instead (T6) has none.
    async fn attempt(
        &self,
        order: OrderId,
        known: Option<AttemptId>,
    ) -> Result<(OrderView, Option<AttemptView>), Refused> {
        let open = |order: &OrderView| {
            order.attempts.iter().find(|attempt| known.is_none_or(|id| id == attempt.id) && is_open(attempt)).cloned()
        };
        let found = self.order(order).await?;
        if let Some(attempt) = open(&found) {
            return Ok((found, Some(attempt)));
        }
        let started = self.run(StartPayment { order }).await?.order;
        let attempt = started.attempts.iter().find(|attempt| is_open(attempt)).cloned();
        Ok((started, attempt))
    }

    async fn pay(&self, order: &OrderView, attempt: &AttemptView, instrument: Instrument) -> Result<Paid, Refused> {
        let house = &self.handler.house;
        payments::pay(&house.door, &house.gateways, order, attempt, instrument).await
    }

    async fn pay_card(
        &self,
        order: OrderId,
        attempt: Option<AttemptId>,
        typed: &crate::tui::screens::kiosk::CardDetails,
    ) -> Result<OrderView, Refused> {
        // A card that cannot be one is told before anything is written.
        let card = CardDetails::parse(&typed.number, &typed.expiry, &typed.cvc)?;
        let (order, attempt) = self.attempt(order, attempt).await?;
        let Some(attempt) = attempt else { return Ok(order) };
        if attempt.status == AttemptStatus::Captured || attempt.unknown {
            return Ok(order);
        }
        Ok(self.pay(&order, &attempt, Instrument::Card(card)).await?.outcome.order)
    }

    async fn pay_upi(&self, order: OrderId, attempt: Option<AttemptId>) -> Result<PaymentCode, Refused> {
        let (order, attempt) = self.attempt(order, attempt).await?;
        let Some(attempt) = attempt else {
            return Err(Refused::conflict("This order has ended.").help("Start again; your cart is kept."));
        };
        let paid = self.pay(&order, &attempt, Instrument::UpiIntent).await?;
        let text = paid.payload.ok_or_else(|| Refused::conflict("The payment has been answered already."))?;
        let picture = qr::draw(&text)?;
        Ok(PaymentCode { rows: picture.rows, text })
    }

    async fn poll(&self, order: OrderId) -> Result<OrderView, Refused> {
        let found = self.order(order).await?;
        let Some(attempt) = found.attempts.iter().find(|attempt| is_open(attempt)) else { return Ok(found) };
        let house = &self.handler.house;
        payments::resolve(&house.door, &house.gateways, order, attempt, false).await.map(|outcome| outcome.order)
    }

    /// Cancels; a code that nobody has paid is ended at the gateway first, which ends the order (T4).
    async fn cancel(&self, order: OrderId) -> Result<OrderView, Refused> {
        let found = self.order(order).await?;
        if let Some(attempt) = found.attempts.iter().find(|attempt| is_open(attempt)) {
            let house = &self.handler.house;
            return payments::resolve(&house.door, &house.gateways, order, attempt, true)
                .await
                .map(|outcome| outcome.order);
        }
        self.run(CancelOrder { order, reason: "cancelled at the kiosk".to_owned() }).await
    }
}
