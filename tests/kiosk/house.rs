//! A small house in memory that answers the kiosk's calls, for the tests of its screens: a menu, one
//! cart, one order. It knows no rules but those that the screens must show.

#![expect(clippy::panic, reason = "test support: a call that cannot be answered is a failed test")]

use servery::domain::cart::CartChange;
use servery::domain::consumption::Availability;
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::fulfilment::Fulfilment;
use servery::domain::ids::{
    AttemptId, CartId, CartLineId, CategoryId, CustomerId, ItemId, OptionGroupId, OptionId, OrderId,
};
use servery::domain::menu::{Allergen, Diet};
use servery::domain::money::{Currency, Money, Rate};
use servery::domain::order::{EndReason, Status};
use servery::domain::payment::{AttemptStatus, Method, PaymentStatus};
use servery::domain::price_trace::{PriceTrace, Step, StepKind, StepNote};
use servery::domain::time::Timestamp;
use servery::payment::qr;
use servery::service::views::{
    AttemptView, CartLineView, CartPromotionView, CartView, CategoryView, ChoiceView, ItemView, MenuView,
    OptionGroupView, OrderView, Placed,
};
use servery::tui::app::Input;
use servery::tui::screens::kiosk::{
    Guest, KioskApp, KioskCall, KioskEffect, KioskMsg, KioskReply, KioskSettings, PaymentCode,
};
use servery::tui::testing::Harness;
use uuid::Uuid;

/// Noon of a winter day.
pub const NOON: Timestamp = Timestamp(1_795_089_600_000_000);

/// What the gateway says next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bank {
    /// The money is there.
    Approves,
    /// The card has no money.
    Declines,
    /// No answer.
    Silent,
}

/// The house.
#[derive(Debug)]
pub struct House {
    pub menu: MenuView,
    pub cart: CartView,
    pub order: Option<OrderView>,
    pub bank: Bank,
    pub pin: &'static str,
    /// Answers the next call with this.
    pub refuse: Option<Refused>,
    /// Every call that was answered.
    pub calls: Vec<KioskCall>,
    pub now: Timestamp,
    guests: u128,
    numbers: u32,
}

pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn choice(number: u128, name: &str, delta: i64, available: bool) -> ChoiceView {
    ChoiceView { id: OptionId(id(number)), name: name.to_owned(), price_delta: Money(delta), available }
}

pub fn item(number: u128, category: u128, name: &str, description: &str, price: i64, diet: Diet) -> ItemView {
    ItemView {
        id: ItemId(id(number)),
        category_id: CategoryId(id(category)),
        code: format!("I{number}"),
        name: name.to_owned(),
        description: description.to_owned(),
        price: Money(price),
        diet,
        allergens: Vec::new(),
        spicy: 0,
        prep_minutes: 8,
        glyph: None,
        availability: Availability::Available { left: None },
        option_groups: Vec::new(),
    }
}

fn items() -> Vec<ItemView> {
    let mut dosa = item(
        101,
        2,
        "Masala dosa",
        "Crisp rice and lentil crêpe with spiced potato, coconut chutney and sambar",
        850,
        Diet::Veg,
    );
    dosa.allergens = vec![Allergen::Milk, Allergen::Mustard];
    dosa.spicy = 2;
    dosa.option_groups = vec![
        OptionGroupView {
            id: OptionGroupId(id(901)),
            name: "Size".to_owned(),
            min: 1,
            max: 1,
            choices: vec![choice(911, "Regular", 0, true), choice(912, "Large", 200, true)],
        },
        OptionGroupView {
            id: OptionGroupId(id(902)),
            name: "Extras".to_owned(),
            min: 0,
            max: 2,
            choices: vec![
                choice(921, "Cheese", 100, true),
                choice(922, "Extra chutney", 50, true),
                choice(923, "Ghee", 75, false),
            ],
        },
    ];
    let mut biryani = item(102, 2, "Chicken biryani", "Basmati rice, saffron, raita", 1190, Diet::NonVeg);
    biryani.allergens = vec![Allergen::Milk, Allergen::Nuts];
    biryani.spicy = 3;
    biryani.availability = Availability::Available { left: Some(3) };
    let mut egg = item(103, 2, "Egg curry", "Two eggs in a tomato and onion sauce", 790, Diet::Egg);
    egg.allergens = vec![Allergen::Eggs];
    egg.spicy = 1;
    egg.availability = Availability::SoldOut;
    let mut thali = item(104, 2, "Lunch thali", "A bit of everything, on one plate", 1350, Diet::Veg);
    thali.allergens = vec![Allergen::Gluten, Allergen::Milk];
    thali.availability = Availability::OutOfSlot { slots: vec!["lunch".to_owned()] };
    let mut samosa = item(105, 1, "Samosa", "Two pastries with peas and potato", 420, Diet::Vegan);
    samosa.allergens = vec![Allergen::Gluten];
    let mut lassi = item(106, 3, "Mango lassi", "Yoghurt and ripe mango", 380, Diet::Veg);
    lassi.allergens = vec![Allergen::Milk];
    let mut chai = item(107, 3, "Masala chai", "Black tea, milk and spices", 290, Diet::Veg);
    chai.allergens = vec![Allergen::Milk];
    chai.availability = Availability::EightySixed;
    let jamun = item(108, 4, "Gulab jamun", "Warm dumplings in rose syrup", 450, Diet::Veg);
    vec![samosa, dosa, biryani, egg, thali, lassi, chai, jamun]
}

pub fn menu() -> MenuView {
    let category = |number, name: &str| CategoryView { id: CategoryId(id(number)), name: name.to_owned() };
    MenuView {
        site: "Saffron".to_owned(),
        currency: Currency::EUR,
        demo: true,
        version: 1,
        zone: chrono_tz::Europe::Berlin,
        kiosk_idle_seconds: 60,
        kiosk_warning_seconds: 15,
        open: true,
        slot: Some("all day".to_owned()),
        next_slot_at: None,
        next_slot: None,
        fulfilments: vec![Fulfilment::DineIn, Fulfilment::Pickup, Fulfilment::Delivery],
        delivery_charge: Money(200),
        methods: vec![Method::Card, Method::Upi, Method::Cash],
        categories: vec![category(1, "Starters"), category(2, "Mains"), category(3, "Drinks"), category(4, "Sweets")],
        items: items(),
    }
}

fn empty_cart() -> CartView {
    CartView {
        id: CartId(id(500)),
        fulfilment: None,
        note: String::new(),
        lines: Vec::new(),
        total_items: 0,
        subtotal: Money(0),
        discount: Money(0),
        tax: Money(0),
        tax_inclusive: false,
        delivery: Money(0),
        total: Money(0),
        promotion: None,
        trace: PriceTrace::default(),
        changes: Vec::new(),
    }
}

/// The code of a payment, as the house makes it.
pub fn code() -> PaymentCode {
    let text = "upi://pay?pa=servery@upi&pn=Servery&am=12.30&cu=EUR&tr=order_7F3A91C2".to_owned();
    match qr::draw(&text) {
        Ok(picture) => PaymentCode { rows: picture.rows, text },
        Err(refused) => panic!("{refused}"),
    }
}

impl House {
    pub fn new() -> Self {
        Self {
            menu: menu(),
            cart: empty_cart(),
            order: None,
            bank: Bank::Approves,
            pin: "4711",
            refuse: None,
            calls: Vec::new(),
            now: NOON,
            guests: 0,
            numbers: 141,
        }
    }

    pub fn total(&mut self) {
        let cart = &mut self.cart;
        let mut steps = Vec::new();
        for line in &mut cart.lines {
            line.line_total = Money(line.unit_price.0 * i64::from(line.quantity));
            let of = Some(line.id.0);
            let note = StepNote::Times { unit: line.unit_price, quantity: i64::from(line.quantity) };
            steps.push(Step { kind: StepKind::Item, label: line.name.clone(), amount: line.line_total, of, note });
        }
        cart.total_items = cart.lines.iter().map(|line| i64::from(line.quantity)).sum();
        cart.subtotal = Money(cart.lines.iter().map(|line| line.line_total.0).sum());
        cart.tax = Money(cart.subtotal.0 * 7 / 100);
        cart.delivery = match cart.fulfilment {
            Some(Fulfilment::Delivery) => self.menu.delivery_charge,
            _ => Money(0),
        };
        cart.total = Money(cart.subtotal.0 + cart.tax.0 + cart.delivery.0);
        if cart.tax.0 > 0 {
            let note = StepNote::TaxShare { tax: cart.tax, rate: Rate(70_000), base: cart.subtotal, whole: cart.tax };
            let of = cart.lines.first().map(|line| line.id.0);
            steps.push(Step { kind: StepKind::Tax, label: "Food".to_owned(), amount: cart.tax, of, note });
        }
        cart.trace = PriceTrace { steps };
    }

    fn cart_reply(&mut self) -> KioskReply {
        self.total();
        KioskReply::Cart(Ok(Box::new(self.cart.clone())))
    }

    fn add(&mut self, item: ItemId, options: &[OptionId], quantity: i32, note: &str) -> KioskReply {
        let Some(item) = self.menu.items.iter().find(|known| known.id == item).cloned() else {
            return KioskReply::Cart(Err(Refused::not_found("item", item)));
        };
        let chosen: Vec<&ChoiceView> = item
            .option_groups
            .iter()
            .flat_map(|group| &group.choices)
            .filter(|choice| options.contains(&choice.id))
            .collect();
        let unit = item.price.0 + chosen.iter().map(|choice| choice.price_delta.0).sum::<i64>();
        let number = 600 + self.cart.lines.len() as u128;
        self.cart.lines.push(CartLineView {
            id: CartLineId(id(number)),
            item_id: item.id,
            name: item.name.clone(),
            options: chosen.iter().map(|choice| choice.name.clone()).collect(),
            quantity,
            unit_price: Money(unit),
            line_total: Money(0),
            note: note.to_owned(),
            left: None,
        });
        self.cart_reply()
    }

    pub fn change(&mut self, change: CartChange) {
        self.cart.changes.push(change);
    }

    fn place(&mut self, method: Method, name: Option<String>, retry_of: Option<OrderId>, pay_now: bool) -> KioskReply {
        self.numbers += 1;
        let attempt = pay_now.then(|| self.attempt(method));
        let pending = method != Method::Cash;
        let order = OrderView {
            id: OrderId(id(700 + u128::from(self.numbers))),
            order_number: format!("ORD-20261119-{}", self.numbers),
            pickup_number: self.numbers.to_string(),
            business_date: "2026-11-19".to_owned(),
            status: if pending { Status::Pending } else { Status::Received },
            reason: None,
            reason_text: None,
            version: 1,
            fulfilment: self.cart.fulfilment.unwrap_or(Fulfilment::Pickup),
            method,
            paid: false,
            payment_status: PaymentStatus::Pending,
            customer: CustomerId(id(self.guests)),
            called_name: name,
            currency: self.menu.currency,
            subtotal: self.cart.subtotal,
            discount: Money(0),
            tax: self.cart.tax,
            tax_inclusive: false,
            delivery_charge: self.cart.delivery,
            total: self.cart.total,
            due: self.cart.total,
            note: None,
            staff_note: None,
            created_at: self.now,
            updated_at: self.now,
            received_at: None,
            ready_at: None,
            estimated_ready_at: Some(self.now.plus_seconds(480)),
            expires_at: pending.then(|| self.now.plus_seconds(600)),
            hold_extended: false,
            on_hold_until: None,
            priority: 0,
            uncollected: false,
            late_payment: false,
            assignment_escalated: false,
            retry_of,
            lines: Vec::new(),
            attempts: attempt.iter().cloned().collect(),
            refunds: Vec::new(),
            trace: PriceTrace::default(),
        };
        self.order = Some(order.clone());
        KioskReply::Placed(Ok(Box::new(Placed { order, attempt })))
    }

    fn attempt(&self, method: Method) -> AttemptView {
        AttemptView {
            id: AttemptId(id(800 + u128::from(self.numbers))),
            key: "key".to_owned(),
            method: method.into(),
            status: AttemptStatus::Created,
            amount: self.cart.total,
            unknown: false,
            stray: false,
            gateway_order_id: None,
            gateway_payment_id: None,
            brand: None,
            last_four: None,
            reason: None,
        }
    }

    /// The gateway speaks, about the order as it is.
    pub fn settle(&mut self) {
        let bank = self.bank;
        let Some(order) = &mut self.order else { return };
        let Some(attempt) = order.attempts.last_mut().filter(|attempt| attempt.status == AttemptStatus::Created) else {
            return;
        };
        order.version += 1;
        match bank {
            Bank::Approves => {
                attempt.status = AttemptStatus::Captured;
                attempt.unknown = false;
                order.status = Status::Confirmed;
                order.paid = true;
            }
            Bank::Declines => {
                attempt.status = AttemptStatus::Failed;
                attempt.reason = Some("The card has insufficient funds.".to_owned());
                order.status = Status::Cancelled;
                order.reason = Some(EndReason::PaymentFailed);
            }
            Bank::Silent => attempt.unknown = true,
        }
    }

    /// Moves the order on, as the kitchen does.
    pub fn kitchen(&mut self, status: Status) {
        if let Some(order) = &mut self.order {
            order.status = status;
            order.version += 1;
        }
    }

    fn order_reply(&self) -> KioskReply {
        match &self.order {
            Some(order) => KioskReply::Order(Ok(Box::new(order.clone()))),
            None => KioskReply::Order(Err(Refused::not_found("order", "?"))),
        }
    }

    /// What the house answers to a call.
    pub fn answer(&mut self, call: &KioskCall) -> KioskMsg {
        self.calls.push(call.clone());
        assert_eq!(call.effect.changes(), call.key.is_some(), "{call:?}");
        let reply = match self.refuse.take() {
            Some(refused) => refusal(&call.effect, refused),
            None => self.reply(&call.effect),
        };
        KioskMsg { request: call.request, reply }
    }

    fn reply(&mut self, effect: &KioskEffect) -> KioskReply {
        match effect {
            KioskEffect::LoadMenu => KioskReply::Menu(Ok(Box::new(self.menu.clone()))),
            KioskEffect::StartGuest => {
                self.guests += 1;
                self.cart = empty_cart();
                self.order = None;
                let (visit, customer) = (id(0xABC0 + self.guests), CustomerId(id(self.guests)));
                KioskReply::Guest(Ok(Guest { visit, customer, cart: self.cart.id }))
            }
            KioskEffect::LoadCart { .. } => self.cart_reply(),
            KioskEffect::AddToCart { item, options, quantity, note, .. } => self.add(*item, options, *quantity, note),
            KioskEffect::SetQuantity { line, quantity, .. } => {
                for known in self.cart.lines.iter_mut().filter(|known| known.id == *line) {
                    known.quantity = *quantity;
                }
                self.cart.changes.retain(|change| change.line_id != *line);
                self.cart_reply()
            }
            KioskEffect::RemoveLine { line, .. } => {
                self.cart.lines.retain(|known| known.id != *line);
                self.cart.changes.retain(|change| change.line_id != *line);
                self.cart_reply()
            }
            KioskEffect::ClearCart { .. } => {
                self.cart.lines.clear();
                self.cart.changes.clear();
                self.cart_reply()
            }
            KioskEffect::SetFulfilment { fulfilment, .. } => {
                self.cart.fulfilment = Some(*fulfilment);
                self.cart_reply()
            }
            KioskEffect::SetCartNote { note, .. } => {
                self.cart.note.clone_from(note);
                self.cart_reply()
            }
            KioskEffect::SetPromotion { code, .. } => {
                self.cart.promotion =
                    code.as_ref().map(|code| CartPromotionView { code: code.to_uppercase(), refused: None });
                self.cart_reply()
            }
            KioskEffect::AcceptChanges { .. } => {
                self.cart.changes.retain(|change| change.change.blocks());
                self.cart_reply()
            }
            KioskEffect::Place { method, called_name, address, retry_of, pay_now, .. } => {
                assert_eq!(address.is_some(), self.cart.fulfilment == Some(Fulfilment::Delivery), "{effect:?}");
                self.place(*method, called_name.clone(), *retry_of, *pay_now)
            }
            KioskEffect::PayCard { .. } => {
                let attempt = self.attempt(Method::Card);
                if let Some(order) = &mut self.order {
                    order.attempts.push(attempt);
                }
                self.settle();
                self.order_reply()
            }
            KioskEffect::PayUpi { .. } => KioskReply::UpiCode(Ok(code())),
            KioskEffect::PollPayment { .. } => {
                self.settle();
                self.order_reply()
            }
            KioskEffect::LoadOrder { .. } => self.order_reply(),
            KioskEffect::ExtendHold { .. } => {
                if let Some(order) = &mut self.order {
                    order.expires_at = order.expires_at.map(|until| until.plus_seconds(300));
                    order.hold_extended = true;
                    order.version += 1;
                }
                self.order_reply()
            }
            KioskEffect::CancelOrder { .. } => {
                if let Some(order) = &mut self.order {
                    order.status = Status::Cancelled;
                    order.reason = Some(EndReason::Customer);
                    order.version += 1;
                }
                self.order_reply()
            }
            KioskEffect::CheckExitPin { pin } => KioskReply::ExitPin(if pin.0.as_str() == self.pin {
                Ok(())
            } else {
                Err(Refused::new(ErrorCode::Forbidden, "wrong"))
            }),
        }
    }
}

fn refusal(effect: &KioskEffect, refused: Refused) -> KioskReply {
    match effect {
        KioskEffect::LoadMenu => KioskReply::Menu(Err(refused)),
        KioskEffect::StartGuest => KioskReply::Guest(Err(refused)),
        KioskEffect::Place { .. } => KioskReply::Placed(Err(refused)),
        KioskEffect::PayUpi { .. } => KioskReply::UpiCode(Err(refused)),
        KioskEffect::CheckExitPin { .. } => KioskReply::ExitPin(Err(refused)),
        KioskEffect::PayCard { .. }
        | KioskEffect::PollPayment { .. }
        | KioskEffect::LoadOrder { .. }
        | KioskEffect::ExtendHold { .. }
        | KioskEffect::CancelOrder { .. } => KioskReply::Order(Err(refused)),
        _ => KioskReply::Cart(Err(refused)),
    }
}

/// A kiosk of this size with a house that answers it.
pub struct Kiosk {
    pub harness: Harness<KioskApp>,
    pub house: House,
}

impl Kiosk {
    /// On the attract screen, with the menu read.
    pub fn new(width: u16, height: u16) -> Self {
        Self::with(width, height, House::new())
    }

    pub fn with(width: u16, height: u16, house: House) -> Self {
        let app = KioskApp::new(KioskSettings::default());
        let mut kiosk = Self { harness: Harness::new(app, width, height, NOON), house };
        kiosk.harness.input(Input::StoreChanged);
        kiosk.settle();
        kiosk
    }

    /// Answers every call until there is none.
    pub fn settle(&mut self) {
        for _ in 0..50 {
            let Some(call) = self.harness.take_effect() else { return };
            self.house.now = self.harness.now();
            let message = self.house.answer(&call);
            self.harness.message(message);
        }
        panic!("the kiosk asks without end");
    }

    /// Presses keys, each answered before the next.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            self.harness.keys(key);
            self.settle();
        }
        self
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        self.harness.type_text(text);
        self.settle();
        self
    }

    pub fn click(&mut self, words: &str) -> &mut Self {
        self.harness.click_on(words);
        self.settle();
        self
    }

    /// Lets seconds pass, one tick each.
    pub fn wait(&mut self, seconds: i64) -> &mut Self {
        for _ in 0..seconds {
            self.harness.advance(1);
            self.settle();
        }
        self
    }

    /// The store changed under the kiosk.
    pub fn store_changed(&mut self) -> &mut Self {
        self.harness.input(Input::StoreChanged);
        self.settle();
        self
    }

    pub fn screen(&self) -> String {
        self.harness.screen()
    }

    /// The screen, which must show these words.
    pub fn shows(&self, words: &str) -> String {
        let screen = self.screen();
        assert!(screen.contains(words), "{words:?} is not on the screen:\n{screen}");
        screen
    }

    /// Into the menu, to eat here.
    pub fn open_menu(&mut self) -> &mut Self {
        self.keys("enter 1")
    }

    /// Into the menu, to have it brought.
    pub fn open_menu_for_delivery(&mut self) -> &mut Self {
        self.keys("enter 3")
    }

    /// One large dosa with cheese, to be brought, at the checkout.
    pub fn with_dosa_to_bring(&mut self) -> &mut Self {
        self.open_menu_for_delivery().keys("2 enter down enter down enter end enter c enter")
    }

    /// A terminal's paste.
    pub fn paste(&mut self, text: &str) -> &mut Self {
        self.harness.input(Input::Paste(text.to_owned()));
        self.settle();
        self
    }

    /// One large dosa with cheese in the cart.
    pub fn with_dosa(&mut self) -> &mut Self {
        self.open_menu().keys("2 enter down enter down enter end enter")
    }

    /// How many calls of this name the house got.
    pub fn count(&self, name: &str) -> usize {
        self.house.calls.iter().filter(|call| format!("{:?}", call.effect).starts_with(name)).count()
    }
}
