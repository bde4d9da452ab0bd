//! What the console asks to have done and what it is told: plain data. Questions are the service's
//! queries and commands its use cases, so that a new one is one line here and none in the runner.

use crate::domain::access::Role;
use crate::domain::error::Refused;
use crate::domain::ids::{OrderId, StaffId, TerminalId};
use crate::domain::payment::Method;
use crate::service::archived_days::ShowArchivedDays;
use crate::service::audit::{AuditList, SealsStatus};
use crate::service::deliveries::{ListCouriers, ShowDelivery};
use crate::service::envelope::{Envelope, OrderCommand};
use crate::service::health::{self, HealthView};
use crate::service::menu_book::MenuBook;
use crate::service::menu_import::{MenuExport, MenuPreview};
use crate::service::notices::ListNotices;
use crate::service::order_actions::OrderActions;
use crate::service::order_queries::{ListOrders, ShowHistory, ShowOrder};
use crate::service::promotions::ListPromotions;
use crate::service::reports::{
    BusinessToday, HoursReport, ItemsReport, RefundsAndWaste, SalesReport, SpeedReport, Statistics,
};
use crate::service::settings::{ListSettings, SettingHistory};
use crate::service::site_info::ThisSite;
use crate::service::staff::ListStaff;
use crate::service::stock_forecast::{StockForecast, StockHolders};
use crate::service::stock_ledger::StockLedger;
use crate::service::terminals::ListTerminals;
use crate::service::till::TillStatus;
use crate::service::till_reports::{ClosedShifts, OpenShifts, WaitingCashRefunds};
use crate::service::{Caller, Door, Query};
use crate::tui::app::RequestId;
use crate::tui::screens::person::{Person, PersonPin, Secret};
use serde_json::Value;
use std::path::PathBuf;

/// Every question of the console with its answer.
macro_rules! questions {
    ($($(#[$doc:meta])* $name:ident($query:ty),)+) => {
        /// A question of the console.
        #[derive(Debug, Clone)]
        pub enum Ask {
            $($(#[$doc])* $name($query),)+
            /// How the house is.
            Health,
        }

        /// The answer to the [`Ask`] of the same name.
        #[derive(Debug, Clone)]
        pub enum Loaded {
            $($(#[$doc])* $name(Box<<$query as Query>::Output>),)+
            /// How the house is.
            Health(Box<HealthView>),
        }

        impl Ask {
            /// Puts the question to the door. `configured` names the methods for which this process has
            /// a gateway, where it knows.
            ///
            /// # Errors
            /// What the door refuses.
            pub async fn answer(self, door: &Door, caller: &Caller, configured: Option<&[Method]>) -> Result<Loaded, Refused> {
                match self {
                    // More than one transaction, and so no query.
                    Self::Health => {
                        health::look(door, caller, configured).await.map(|view| Loaded::Health(Box::new(view)))
                    }
                    $(Self::$name(query) => door.ask(caller, query).await.map(|found| Loaded::$name(Box::new(found))),)+
                }
            }
        }
    };
}

questions! {
    /// The site and its settings.
    Site(ThisSite),
    /// A page of orders.
    Orders(ListOrders),
    /// The days whose orders are in a file.
    Archived(ShowArchivedDays),
    /// One order.
    Order(ShowOrder),
    /// The steps of an order.
    History(ShowHistory),
    /// What can be done with an order, and why the rest cannot.
    Actions(OrderActions),
    /// Where an order is delivered to, and by whom.
    Delivery(ShowDelivery),
    /// The couriers, who has least to do first.
    Couriers(ListCouriers),
    /// What this person was told.
    Notices(ListNotices),
    /// The menu for its keepers.
    MenuBook(MenuBook),
    /// The menu as a file.
    MenuExport(MenuExport),
    /// What a file would change.
    MenuPreview(MenuPreview),
    /// A page of the promotion codes.
    Promotions(ListPromotions),
    /// Every setting.
    Settings(ListSettings),
    /// Who changed a setting.
    SettingHistory(SettingHistory),
    /// A page of the counted things, what runs out today first.
    Forecast(StockForecast),
    /// A page of the ledger of a counted thing.
    Ledger(StockLedger),
    /// The orders that hold units of a counted thing.
    Holders(StockHolders),
    /// The open till shifts.
    Shifts(OpenShifts),
    /// The report of a till shift.
    Till(TillStatus),
    /// A page of the till shifts of before.
    PastShifts(ClosedShifts),
    /// The cash refunds that wait to be paid out.
    CashRefunds(WaitingCashRefunds),
    /// A page of the staff.
    Staff(ListStaff),
    /// Every terminal.
    Terminals(ListTerminals),
    /// Which business day is running.
    Today(BusinessToday),
    /// Daily sales.
    SalesReport(SalesReport),
    /// Item performance.
    ItemsReport(ItemsReport),
    /// Order volume.
    HoursReport(HoursReport),
    /// Speed of service.
    SpeedReport(SpeedReport),
    /// Refunds and waste.
    RefundsReport(RefundsAndWaste),
    /// Statistics.
    StatisticsReport(Statistics),
    /// A page of the audit log.
    Audit(AuditList),
    /// How far the audit log is sealed.
    Seals(SealsStatus),
}

/// A change that the console asks for.
#[derive(Debug, Clone)]
pub enum Act {
    /// A use case by its name.
    Command(Envelope),
    /// A step of an order as it was seen: where the order has moved since, the step is refused with
    /// `CONFLICT`.
    Order {
        /// The order.
        order: OrderId,
        /// The version that was on the screen.
        seen_version: i64,
        /// The step.
        command: Box<OrderCommand>,
    },
    /// Somebody new on the staff.
    AddStaff {
        /// The sign-in name.
        username: String,
        /// The name for people.
        name: String,
        /// The role.
        role: Role,
        /// The password.
        password: Secret,
        /// The PIN, if there is to be one.
        pin: Option<Secret>,
    },
    /// A new password for somebody.
    SetPassword {
        /// Who.
        staff: StaffId,
        /// The password.
        password: Secret,
        /// Why.
        reason: String,
    },
    /// A new PIN for somebody.
    SetPin {
        /// Who.
        staff: StaffId,
        /// The PIN.
        pin: Secret,
        /// Why; may be empty for a first PIN.
        reason: String,
    },
    /// A new PIN with which a kiosk is left; answered with nothing.
    SetExitPin {
        /// The kiosk.
        terminal: TerminalId,
        /// The PIN.
        pin: Secret,
        /// Why; may be empty for a first PIN.
        reason: String,
    },
    /// A copy of the store, in the house's folder for backups.
    Backup,
    /// The proof of stock, money and seals, now.
    Prove,
    /// The proof of the audit log's seals alone, now; answered with a
    /// [`SealsProof`](crate::service::audit::SealsProof).
    VerifySeals,
}

/// What the console asks to have done.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Answer a question; by [`Msg::Loaded`].
    Ask {
        /// Comes back with the answer.
        request: RequestId,
        /// The question.
        ask: Box<Ask>,
    },
    /// Change something; answered by [`Msg::Done`].
    Do {
        /// Comes back with the answer.
        request: RequestId,
        /// The change.
        act: Box<Act>,
        /// The idempotency key. A repeat after a lost answer carries the same one.
        key: String,
        /// The admin who lets it through.
        override_pin: Option<PersonPin>,
    },
    /// Sign in; answered by [`Msg::SignedIn`].
    SignIn {
        /// Who.
        username: String,
        /// The password.
        password: Secret,
    },
    /// Sign in somebody who has signed in here before; answered by [`Msg::SignedIn`].
    SignInPin {
        /// Who.
        username: String,
        /// The PIN.
        pin: Secret,
    },
    /// Sign out; answered by nothing.
    SignOut,
    /// Write a file into the house's folder for exports; answered by [`Msg::Saved`].
    Save {
        /// Comes back with the answer.
        request: RequestId,
        /// The file's name, without a folder.
        name: String,
        /// What is written.
        content: String,
    },
    /// Write a view as JSON, in the shape that the command line prints, into the house's folder for
    /// exports; answered by [`Msg::Saved`].
    SaveView {
        /// Comes back with the answer.
        request: RequestId,
        /// The file's name, without a folder.
        name: String,
        /// The view.
        view: Value,
    },
    /// Read a file of the house's folder for exports; answered by [`Msg::Read`].
    Read {
        /// Comes back with the answer.
        request: RequestId,
        /// The file's name, without a folder.
        name: String,
    },
}

/// What the console is told.
#[derive(Debug)]
pub enum Msg {
    /// The answer to a question.
    Loaded {
        /// The request that it answers.
        request: RequestId,
        /// The answer, or why there is none.
        result: Result<Loaded, Refused>,
    },
    /// The answer to a change.
    Done {
        /// The request that it answers.
        request: RequestId,
        /// What came of it.
        result: Result<Value, Refused>,
    },
    /// The answer to signing in.
    SignedIn(Result<Person, Refused>),
    /// Nobody has to be told that the session is over.
    SignedOut,
    /// A file was written.
    Saved {
        /// The request that it answers.
        request: RequestId,
        /// Where.
        result: Result<PathBuf, Refused>,
    },
    /// A file was read.
    Read {
        /// The request that it answers.
        request: RequestId,
        /// What stands in it.
        result: Result<String, Refused>,
    },
}
