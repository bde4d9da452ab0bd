//! What the console asks to have done and what it is told: plain data. Questions are the service's
//! queries and commands its use cases, so that a new one is one line here and none in the runner.

use crate::domain::access::Role;
use crate::domain::error::Refused;
use crate::domain::ids::{OrderId, StaffId};
use crate::service::envelope::{Envelope, OrderCommand};
use crate::service::menu_book::MenuBook;
use crate::service::menu_import::{MenuExport, MenuPreview};
use crate::service::order_queries::{ListOrders, OrderActions, ShowHistory, ShowOrder};
use crate::service::settings::{ListSettings, SettingHistory};
use crate::service::site_info::ThisSite;
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
        }

        /// The answer to the [`Ask`] of the same name.
        #[derive(Debug, Clone)]
        pub enum Loaded {
            $($(#[$doc])* $name(Box<<$query as Query>::Output>),)+
        }

        impl Ask {
            /// Puts the question to the door.
            ///
            /// # Errors
            /// What the door refuses.
            pub async fn answer(self, door: &Door, caller: &Caller) -> Result<Loaded, Refused> {
                match self {
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
    /// One order.
    Order(ShowOrder),
    /// The steps of an order.
    History(ShowHistory),
    /// What can be done with an order, and why the rest cannot.
    Actions(OrderActions),
    /// The menu for its keepers.
    MenuBook(MenuBook),
    /// The menu as a file.
    MenuExport(MenuExport),
    /// What a file would change.
    MenuPreview(MenuPreview),
    /// Every setting.
    Settings(ListSettings),
    /// Who changed a setting.
    SettingHistory(SettingHistory),
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
    },
    /// A new PIN for somebody.
    SetPin {
        /// Who.
        staff: StaffId,
        /// The PIN.
        pin: Secret,
    },
    /// A copy of the store, in the house's folder for backups.
    Backup,
    /// The proof of stock, money and seals, now.
    Prove,
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
