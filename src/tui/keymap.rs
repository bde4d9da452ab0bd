//! Which key does what, where: one [`Action`] list, the contexts, and the map between them, read
//! from `assets/keys/default.toml` and a file of overrides.
//!
//! The same map feeds the screens (`resolve`), the footer's hints and the help overlay
//! (`keys_for`), so that what is written on the screen is what the key does. No screen logic here.

use super::key::{Key, KeyPress, UnknownKey};
use std::collections::BTreeMap;

/// The key map that comes with the program.
const DEFAULT: &str = include_str!("../../assets/keys/default.toml");

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// Everything a key can ask for, in the order in which the help overlay lists it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $($(#[$doc])* $variant,)*
            /// A digit, 0 to 9: picks the choice with that number. Not in the file: the digit keys
            /// mean this wherever they are not bound to something else.
            Digit(u8),
        }

        impl Action {
            /// Every action that the file can name.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the file.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Digit(_) => "digit",
                }
            }

            /// The locale key of the words for it in hints and help.
            #[must_use]
            pub const fn label_key(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("action.", $name),)*
                    Self::Digit(_) => "action.digit",
                }
            }
        }
    };
}

actions! {
    /// Move the selection up.
    Up => "up",
    /// Move the selection down.
    Down => "down",
    /// Move left, or one less.
    Left => "left",
    /// Move right, or one more.
    Right => "right",
    /// A page up.
    PageUp => "page_up",
    /// A page down.
    PageDown => "page_down",
    /// To the first.
    Home => "home",
    /// To the last.
    End => "end",
    /// Take what is selected.
    Select => "select",
    /// Back one step, or close what is open.
    Back => "back",
    /// To the next part of the screen.
    NextPane => "next_pane",
    /// To the part of the screen before.
    PreviousPane => "previous_pane",
    /// Search in what is shown.
    Search => "search",
    /// Show the keys.
    Help => "help",
    /// End the program.
    Quit => "quit",
    /// Kiosk: one more of the selected item or line.
    AddOne => "add_one",
    /// Kiosk: one fewer.
    RemoveOne => "remove_one",
    /// Kiosk: take the line out of the cart.
    RemoveLine => "remove_line",
    /// Kiosk: empty the cart.
    ClearCart => "clear_cart",
    /// Kiosk: show the cart.
    OpenCart => "open_cart",
    /// Kiosk: go to the checkout.
    Checkout => "checkout",
    /// Kiosk: choose a diet filter.
    DietFilter => "diet_filter",
    /// Write a note.
    Note => "note",
    /// Kiosk: type a promotion code.
    PromotionCode => "promotion_code",
    /// Kiosk: keep the held items longer.
    ExtendHold => "extend_hold",
    /// Kiosk: cancel the order.
    CancelOrder => "cancel_order",
    /// Kiosk: leave, with the staff's PIN.
    StaffExit => "staff_exit",
    /// Kitchen: move the ticket one step on.
    Bump => "bump",
    /// Kitchen: take the last step back.
    Undo => "undo",
    /// Kitchen: bring a bumped ticket back.
    Recall => "recall",
    /// Kitchen: accept the order.
    Accept => "accept",
    /// Kitchen: reject the order, with a reason.
    Reject => "reject",
    /// Kitchen: void a line, with a reason.
    Void => "void",
    /// Kitchen: take cash at the counter.
    Cash => "cash",
    /// Kitchen: cook this one first.
    Priority => "priority",
    /// Kitchen: put the ticket on hold.
    Hold => "hold",
    /// Kitchen: say why something is refused.
    WhyNot => "why_not",
    /// Kitchen: the all-day counts.
    AllDay => "all_day",
    /// Kitchen: show the next station.
    StationNext => "station_next",
    /// Kitchen: the expediter's view of all stations.
    Expo => "expo",
    /// Sign in.
    SignIn => "sign_in",
    /// Sign out.
    SignOut => "sign_out",
    /// Kitchen: bell on or off.
    Mute => "mute",
    /// Kitchen: mark ready although items are open.
    ForceReady => "force_ready",
    /// Console: find a tab or an action by typing.
    Palette => "palette",
    /// Console: what the house tells this person.
    Notices => "notices",
    /// Console: narrow the list.
    Filter => "filter",
    /// Console: everything that can be done with what is selected.
    Actions => "actions",
    /// Console: add something.
    Add => "add",
    /// Console: change what is selected.
    Edit => "edit",
    /// Console: take what is selected away.
    Delete => "delete",
    /// Console: bring back what was taken away.
    Restore => "restore",
    /// Console: sold out, or back on.
    EightySix => "eighty_six",
    /// Console: set the price.
    SetPrice => "set_price",
    /// Console: earlier in the order of the list.
    MoveUp => "move_up",
    /// Console: later in the order of the list.
    MoveDown => "move_down",
    /// Console: options of an item.
    Options => "options",
    /// Console: categories.
    Categories => "categories",
    /// Console: promotion codes.
    Promotions => "promotions",
    /// Console: switch on or off.
    Switch => "switch",
    /// Console: read a file.
    Import => "import",
    /// Console: write a file.
    Export => "export",
    /// Console: give money back.
    Refund => "refund",
    /// Console: goods came in.
    Receive => "receive",
    /// Console: count again.
    Recount => "recount",
    /// Console: thrown away.
    Waste => "waste",
    /// Console: correct by a difference.
    Adjust => "adjust",
    /// Console: every movement.
    Ledger => "ledger",
    /// Console: open the till.
    OpenTill => "open_till",
    /// Console: lay cash in.
    CashIn => "cash_in",
    /// Console: take cash to the safe.
    CashDrop => "cash_drop",
    /// Console: pay a cash refund out.
    PayOut => "pay_out",
    /// Console: the report of the open shift.
    XReport => "x_report",
    /// Console: count and close.
    ZReport => "z_report",
    /// Console: what was before.
    History => "history",
    /// Console: a person's role.
    SetRole => "set_role",
    /// Console: a person's password.
    SetPassword => "set_password",
    /// Console: a person's PIN.
    SetPin => "set_pin",
    /// Console: let somebody in, or no longer.
    SetActive => "set_active",
    /// Console: the registered terminals.
    Terminals => "terminals",
    /// Console: the days that a report covers.
    Range => "range",
    /// Console: another order of the rows.
    Sort => "sort",
    /// Console: prove the seals or the sums.
    Verify => "verify",
    /// Console: make a copy of the store.
    Backup => "backup",
    /// Console: look again.
    Refresh => "refresh",
}

macro_rules! contexts {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// Where a key is pressed. A context's own entries come first, then those of its
        /// [`Context::parent`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Context {
            $($(#[$doc])* $variant,)*
        }

        impl Context {
            /// Every context.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name of its table in the file.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

contexts! {
    /// Everywhere.
    Global => "global",
    /// The launcher that offers the roles.
    Launcher => "launcher",
    /// The kiosk's attract screen.
    Attract => "attract",
    /// The kiosk's menu.
    Menu => "menu",
    /// The kiosk's screen of one item.
    Item => "item",
    /// The kiosk's cart.
    Cart => "cart",
    /// The kiosk's checkout.
    Checkout => "checkout",
    /// The kiosk while a payment is open.
    Payment => "payment",
    /// The kiosk's screen of the placed order.
    OrderStatus => "order_status",
    /// The kitchen's ticket board.
    Kitchen => "kitchen",
    /// The "now serving" board.
    Board => "board",
    /// The staff and admin console: what holds in every tab.
    Console => "console",
    /// The console's orders.
    ConsoleOrders => "console_orders",
    /// The console's menu.
    ConsoleMenu => "console_menu",
    /// The console's promotion codes.
    ConsolePromotions => "console_promotions",
    /// What the console tells the person who is signed in.
    ConsoleNotices => "console_notices",
    /// The console's stock.
    ConsoleStock => "console_stock",
    /// The console's till.
    ConsoleTill => "console_till",
    /// The console's settings.
    ConsoleSettings => "console_settings",
    /// The console's staff.
    ConsoleStaff => "console_staff",
    /// The console's reports.
    ConsoleReports => "console_reports",
    /// The console's audit log.
    ConsoleAudit => "console_audit",
    /// The console's health page.
    ConsoleHealth => "console_health",
    /// Signing in.
    SignIn => "sign_in",
    /// A question over the screen.
    Dialog => "dialog",
    /// The help overlay.
    Help => "help",
    /// A field that takes text: printable keys are text here and never actions.
    TextInput => "text_input",
}

impl Context {
    /// The context whose keys hold here as well, below its own.
    #[must_use]
    pub const fn parent(self) -> Option<Self> {
        match self {
            Self::Global => None,
            Self::ConsoleOrders
            | Self::ConsoleMenu
            | Self::ConsolePromotions
            | Self::ConsoleStock
            | Self::ConsoleTill
            | Self::ConsoleSettings
            | Self::ConsoleStaff
            | Self::ConsoleReports
            | Self::ConsoleAudit
            | Self::ConsoleHealth => Some(Self::Console),
            _ => Some(Self::Global),
        }
    }

    /// This context, and those whose keys hold here as well, the nearest first.
    fn line(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |context| context.parent())
    }
}

/// Why a key map file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// The file is not TOML of the expected shape.
    #[error("the key map cannot be read: {0}")]
    Syntax(String),
    /// A table that is no context.
    #[error("the key map names a context \"{0}\" that does not exist")]
    UnknownContext(String),
    /// An entry that is no action.
    #[error("the key map names an action \"{action}\" in [{context}] that does not exist")]
    UnknownAction {
        /// The table.
        context: &'static str,
        /// The entry.
        action: String,
    },
    /// A key that is no key.
    #[error("the key map, [{context}] {action}: {source}")]
    UnknownKey {
        /// The table.
        context: &'static str,
        /// The entry.
        action: &'static str,
        /// The key.
        source: UnknownKey,
    },
    /// Two actions on one key in one context.
    #[error("the key map puts both {first} and {second} on {key} in [{context}]; give one of them another key")]
    Clash {
        /// The table.
        context: &'static str,
        /// The key.
        key: String,
        /// One action.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A printable key in a context where printable keys are text.
    #[error("the key map puts {action} on {key} in [text_input], where it could not be typed any more")]
    Typed {
        /// The key.
        key: String,
        /// The action.
        action: &'static str,
    },
}

/// A loaded key map. Immutable: the whole house shares one.
#[derive(Debug, Clone)]
pub struct Keymap {
    /// The keys of each action in each context, in the order of the file: the first is the hint.
    keys: BTreeMap<(Context, Action), Vec<KeyPress>>,
    /// The same, the other way round.
    actions: BTreeMap<(Context, KeyPress), Action>,
}

impl Keymap {
    /// The key map that comes with the program, with the entries of `overrides` (a file's content)
    /// put in place of those that differ. An empty list takes an action's keys away.
    ///
    /// # Errors
    /// [`KeymapError`] names the first entry that is wrong; two actions on one key in one context
    /// are refused.
    pub fn load(overrides: Option<&str>) -> Result<Self, KeymapError> {
        let mut keys = parse(DEFAULT)?;
        if let Some(text) = overrides {
            keys.extend(parse(text)?);
        }
        let mut actions: BTreeMap<(Context, KeyPress), Action> = BTreeMap::new();
        for (&(context, action), presses) in &keys {
            for press in presses {
                if context == Context::TextInput && press.printable().is_some() {
                    return Err(KeymapError::Typed { key: press.to_string(), action: action.name() });
                }
                match actions.insert((context, *press), action) {
                    Some(first) if first != action => {
                        return Err(KeymapError::Clash {
                            context: context.name(),
                            key: press.to_string(),
                            first: first.name(),
                            second: action.name(),
                        });
                    }
                    _ => {}
                }
            }
        }
        Ok(Self { keys, actions })
    }

    /// What `press` does in `context`: the context's own entry, else its parent's, else a digit.
    /// A capital letter that is bound to nothing does what the small one does, so that Caps Lock
    /// does not make a kiosk deaf. In a text field, printable keys are never actions.
    #[must_use]
    pub fn resolve(&self, context: Context, press: KeyPress) -> Option<Action> {
        if context == Context::TextInput && press.printable().is_some() {
            return None;
        }
        if let Some(action) = self.bound(context, press) {
            return Some(action);
        }
        let Key::Char(character) = press.key else { return None };
        if press.printable().is_some()
            && let Some(digit) = character.to_digit(10).and_then(|digit| u8::try_from(digit).ok())
        {
            return Some(Action::Digit(digit));
        }
        let small = character.to_ascii_lowercase();
        if small == character { None } else { self.bound(context, KeyPress { key: Key::Char(small), ..press }) }
    }

    /// The keys that do `action` in `context`, as they are written in hints, best first. Keys that
    /// the context uses for something else are left out; empty when no key does it here.
    #[must_use]
    pub fn keys_for(&self, context: Context, action: Action) -> Vec<String> {
        if let Action::Digit(digit) = action {
            return if context == Context::TextInput { Vec::new() } else { vec![digit.to_string()] };
        }
        let bound = context.line().filter_map(|table| self.keys.get(&(table, action))).flatten();
        let mut seen = Vec::new();
        for press in bound {
            if self.resolve(context, *press) == Some(action) && !seen.contains(press) {
                seen.push(*press);
            }
        }
        seen.into_iter().map(KeyPress::label).collect()
    }

    /// Every action that some key does in `context`, the context's own first, each in the order of
    /// [`Action::ALL`].
    #[must_use]
    pub fn actions_in(&self, context: Context) -> Vec<Action> {
        let of = |table: Context| {
            Action::ALL.iter().copied().filter(move |action| self.keys.contains_key(&(table, *action)))
        };
        let mut found = Vec::new();
        for action in context.line().flat_map(of) {
            if !found.contains(&action) && !self.keys_for(context, action).is_empty() {
                found.push(action);
            }
        }
        found
    }

    fn bound(&self, context: Context, press: KeyPress) -> Option<Action> {
        context.line().find_map(|table| self.actions.get(&(table, press))).copied()
    }
}

type Tables = BTreeMap<String, BTreeMap<String, Vec<String>>>;

fn parse(text: &str) -> Result<BTreeMap<(Context, Action), Vec<KeyPress>>, KeymapError> {
    let tables: Tables =
        toml::from_str(text).map_err(|error| KeymapError::Syntax(super::text::clean(&error.to_string())))?;
    let mut keys = BTreeMap::new();
    for (table, entries) in tables {
        let Some(context) = Context::ALL.iter().copied().find(|context| context.name() == table) else {
            return Err(KeymapError::UnknownContext(super::text::clean(&table)));
        };
        for (entry, written) in entries {
            let Some(action) = Action::ALL.iter().copied().find(|action| action.name() == entry) else {
                let action = super::text::clean(&entry);
                return Err(KeymapError::UnknownAction { context: context.name(), action });
            };
            let mut presses = Vec::with_capacity(written.len());
            for key in written {
                presses.push(key.parse().map_err(|source| KeymapError::UnknownKey {
                    context: context.name(),
                    action: action.name(),
                    source,
                })?);
            }
            keys.insert((context, action), presses);
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(text: &str) -> KeyPress {
        text.parse().expect(text)
    }

    #[test]
    fn every_action_has_a_key_somewhere_and_no_key_is_grabbed_by_others() {
        let keymap = Keymap::load(None).expect("the default key map");
        for action in Action::ALL {
            assert!(
                Context::ALL.iter().any(|context| !keymap.keys_for(*context, *action).is_empty()),
                "{} has no key",
                action.name()
            );
        }
        for (_, press) in keymap.actions.keys() {
            assert!(!press.alt && !matches!(press.key, Key::F(_)), "{press}: terminals and desktops grab it");
            let grabbed = press.ctrl && matches!(press.key, Key::Char('a' | 'b' | 's' | 'z' | 'w' | 't' | 'n'));
            assert!(!grabbed, "{press}: tmux, screen or a terminal grabs it");
        }
    }

    #[test]
    fn the_same_keys_work_everywhere() {
        let keymap = Keymap::load(None).expect("the default key map");
        for context in Context::ALL.iter().filter(|context| **context != Context::TextInput) {
            assert_eq!(keymap.resolve(*context, press("up")), Some(Action::Up));
            assert_eq!(keymap.resolve(*context, press("esc")), Some(Action::Back));
            assert_eq!(keymap.resolve(*context, press("?")), Some(Action::Help));
            assert_eq!(keymap.resolve(*context, press("/")), Some(Action::Search));
            assert_eq!(keymap.resolve(*context, press("7")), Some(Action::Digit(7)));
        }
        assert_eq!(keymap.resolve(Context::Menu, press("enter")), Some(Action::Select));
        assert_eq!(keymap.resolve(Context::Kitchen, press("enter")), Some(Action::Bump));
        assert!(!keymap.keys_for(Context::Kitchen, Action::Select).contains(&"Enter".to_owned()));
    }

    #[test]
    fn the_kiosk_has_no_quit_key() {
        let keymap = Keymap::load(None).expect("the default key map");
        for context in
            [Context::Attract, Context::Menu, Context::Item, Context::Cart, Context::Checkout, Context::Payment]
        {
            assert!(keymap.keys_for(context, Action::Quit).is_empty());
            assert_eq!(keymap.resolve(context, press("ctrl+c")), Some(Action::StaffExit));
        }
    }

    #[test]
    fn text_fields_swallow_what_can_be_typed() {
        let keymap = Keymap::load(None).expect("the default key map");
        for key in ["q", "?", "/", "7", "plus", "space"] {
            assert_eq!(keymap.resolve(Context::TextInput, press(key)), None);
        }
        assert_eq!(keymap.resolve(Context::TextInput, press("enter")), Some(Action::Select));
        assert_eq!(keymap.resolve(Context::TextInput, press("esc")), Some(Action::Back));
    }

    #[test]
    fn caps_lock_does_not_make_the_screen_deaf() {
        let keymap = Keymap::load(None).expect("the default key map");
        assert_eq!(keymap.resolve(Context::Menu, press("C")), keymap.resolve(Context::Menu, press("c")));
    }

    #[test]
    fn overrides_replace_only_their_entries() {
        let keymap = Keymap::load(Some("[menu]\nopen_cart = [\"k\"]\n")).expect("override");
        assert_eq!(keymap.resolve(Context::Menu, press("k")), Some(Action::OpenCart));
        assert_eq!(keymap.resolve(Context::Menu, press("c")), None);
        assert_eq!(keymap.resolve(Context::Menu, press("d")), Some(Action::DietFilter));
        assert_eq!(keymap.keys_for(Context::Menu, Action::OpenCart), ["k"]);
        let off = Keymap::load(Some("[menu]\nopen_cart = []\n")).expect("override");
        assert!(!off.actions_in(Context::Menu).contains(&Action::OpenCart));
    }

    #[test]
    fn wrong_files_are_refused_with_what_is_wrong() {
        let refused = |text: &str| Keymap::load(Some(text)).expect_err(text).to_string();
        assert!(refused("[menu]\nopen_cart = [\"d\"]").contains("both"));
        assert!(refused("[menu]\nopen_kart = [\"k\"]").contains("open_kart"));
        assert!(refused("[manu]\nopen_cart = [\"k\"]").contains("manu"));
        assert!(refused("[menu]\nopen_cart = [\"kk\"]").contains("kk"));
        assert!(refused("[text_input]\nselect = [\"x\"]").contains("text_input"));
        assert!(refused("[menu").contains("cannot be read"));
    }
}
