//! What a tab of the console is: its place, its keys, and the questions that the console puts to it.
//! The tabs themselves stand in files of their own.

use super::desk::{Commands, Desk, Done};
use super::message::{Loaded, Msg};
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::tui::app::{Env, Input, RequestId, ViewCtx};
use crate::tui::keymap::{Action, Context};
use ratatui::Frame;
use ratatui::layout::Rect;

macro_rules! places {
    ($($(#[$doc:meta])* $variant:ident => $name:literal, $context:ident, $permission:ident, $tab:ty;)+) => {
        /// Which tab.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Place {
            $($(#[$doc])* $variant,)+
        }

        impl Place {
            /// Every tab, in the order of their digits from 1.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The key of its name in the catalogue.
            #[must_use]
            pub const fn title_key(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Where its keys are looked up.
            #[must_use]
            pub const fn context(self) -> Context {
                match self {
                    $(Self::$variant => Context::$context,)+
                }
            }

            /// The permission without which it is not offered.
            #[must_use]
            pub const fn permission(self) -> Permission {
                match self {
                    $(Self::$variant => Permission::$permission,)+
                }
            }

            /// The tab as nobody has touched it.
            pub(super) fn tab(self) -> Box<dyn Tab> {
                match self {
                    $(Self::$variant => Box::<$tab>::default(),)+
                }
            }
        }
    };
}

places! {
    /// Orders.
    Orders => "console.tab_orders", ConsoleOrders, OrdersRead, super::orders::Orders;
    /// Menu.
    Menu => "console.tab_menu", ConsoleMenu, MenuWrite, super::menu::Menu;
    /// Stock.
    Stock => "console.tab_stock", ConsoleStock, StockRead, super::stock::Stock;
    /// The till.
    Till => "console.tab_till", ConsoleTill, TillOperate, super::till::Till;
    /// Settings.
    Settings => "console.tab_settings", ConsoleSettings, SettingsWrite, super::settings::Settings;
    /// The staff, and the terminals.
    Staff => "console.tab_staff", ConsoleStaff, StaffManage, super::staff::Staff;
    /// Reports.
    Reports => "console.tab_reports", ConsoleReports, ReportsRead, super::reports::Reports;
    /// The audit log.
    Audit => "console.tab_audit", ConsoleAudit, AuditRead, super::audit::Audit;
    /// How the house is.
    Health => "console.tab_health", ConsoleHealth, ReportsRead, super::health::Health;
}

/// A tab. It draws into the room that the console leaves it and puts its own questions over it.
pub trait Tab: std::fmt::Debug {
    /// Reads what it shows: it was opened, or something in the store changed.
    fn load(&mut self, desk: &mut Desk) -> Commands;

    /// Where its keys are looked up now: its own context, or that of what lies over it.
    fn context(&self) -> Context;

    /// Whether something lies over it that takes every key: then digits do not change the tab.
    fn is_covered(&self) -> bool;

    /// Whether an answer is on its way that decides what the next key means: it is heard after it.
    fn is_waiting(&self) -> bool;

    /// Whether it is covered by nothing but the line of a search, which has no room to name its keys.
    fn is_searching(&self) -> bool {
        false
    }

    /// The hints of the last row while nothing covers it, the most important first.
    fn hints(&self, desk: &Desk) -> Vec<Action>;

    /// Takes an input; `action` is what it asks for in [`Tab::context`].
    fn on_input(&mut self, input: &Input<Msg>, action: Option<Action>, desk: &mut Desk, env: &Env<'_>) -> Commands;

    /// Takes an answer to a question; one that is not its own changes nothing.
    fn on_loaded(
        &mut self,
        request: RequestId,
        result: Result<Loaded, Refused>,
        desk: &mut Desk,
        env: &Env<'_>,
    ) -> Commands;

    /// Takes what came of the change that it asked for.
    fn on_done(&mut self, done: Done, desk: &mut Desk, env: &Env<'_>) -> Commands;

    /// Takes a file's path after it was written, or what was read.
    fn on_file(&mut self, _message: Msg, _desk: &mut Desk, _env: &Env<'_>) -> Commands {
        Vec::new()
    }

    /// A second has passed while it was open. Nothing, unless it looks again by itself.
    fn on_tick(&mut self, _desk: &mut Desk) -> Commands {
        Vec::new()
    }

    /// Draws it into `area`, and what lies over it over the `whole` body.
    fn view(&self, frame: &mut Frame<'_>, area: Rect, desk: &Desk, ctx: &ViewCtx<'_>);
}
