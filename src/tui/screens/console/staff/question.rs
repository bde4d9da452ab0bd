//! What a change of the staff asks for before it is made: somebody new, a role, a secret typed twice, a
//! reason. What was typed twice is compared here; everything else is judged by the house.

use super::super::desk::refuse_form;
use super::super::message::{Act, Msg};
use crate::domain::access::Role;
use crate::domain::error::Refused;
use crate::domain::ids::{StaffId, TerminalId};
use crate::service::envelope::{Envelope, StaffCommand, TerminalCommand};
use crate::service::staff::{SetStaffActive, SetStaffRole, StaffView};
use crate::service::terminals::{RevokeTerminal, TerminalView};
use crate::tui::app::{Env, Input, ViewCtx};
use crate::tui::keymap::Context;
use crate::tui::screens::person::Secret;
use crate::tui::vocabulary;
use crate::tui::widgets::form::{Field, Filled, Form, Kind};
use ratatui::Frame;
use ratatui::layout::Rect;

/// Characters of a reason.
const REASON: usize = 200;
/// Characters of a sign-in name, of a name and of a secret.
const USERNAME: usize = 32;
const NAME: usize = 50;
const PASSWORD: usize = 128;
const PIN: usize = 12;
/// The roles that staff have.
pub(super) const ROLES: [Role; 3] = [Role::Kitchen, Role::Delivery, Role::Admin];

/// What is asked about.
#[derive(Debug, Clone, Copy)]
enum About {
    Add,
    Role(StaffId),
    Active(StaffId, bool),
    Password(StaffId),
    Pin(StaffId),
    ExitPin(TerminalId),
    Revoke(TerminalId),
}

/// Which question about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The role.
    Role,
    /// Let in, or no longer.
    Active,
    /// The password.
    Password,
    /// The PIN.
    Pin,
}

/// What follows from an input.
#[derive(Debug)]
pub(super) enum Next {
    /// The question stays open.
    Open,
    /// It was closed.
    Cancelled,
    /// Do this.
    Act(Act),
}

/// An open question.
#[derive(Debug)]
pub(super) struct Question {
    about: About,
    form: Form,
}

fn reason(env: &Env<'_>) -> Field {
    Field::line("reason", env.locale.t("staff.reason"), Kind::Needed, REASON, "")
}

fn roles(at: Role, env: &Env<'_>) -> Field {
    let words = ROLES.iter().map(|role| vocabulary::role(*role, env.locale)).collect();
    let at = ROLES.iter().position(|role| *role == at).unwrap_or_default();
    Field::choice("role", env.locale.t("staff.role"), words, at).with_help(env.locale.t("staff.role_help"))
}

/// A secret, and once more.
fn twice(name: &'static str, (label, again): (&str, &str), limit: usize, help: &str, env: &Env<'_>) -> [Field; 2] {
    [
        Field::secret(name, env.locale.t(label), limit).with_help(env.locale.t(help)),
        Field::secret("again", env.locale.t(again), limit),
    ]
}

impl Question {
    /// Somebody new.
    pub(super) fn add(env: &Env<'_>) -> Self {
        let username = Field::line("username", env.locale.t("staff.username"), Kind::Needed, USERNAME, "")
            .with_help(env.locale.t("staff.username_help"));
        let name = Field::line("name", env.locale.t("staff.name"), Kind::Needed, NAME, "");
        let [password, again] =
            twice("password", ("staff.password", "staff.password_again"), PASSWORD, "staff.password_help", env);
        let fields = vec![username, name, roles(Role::Kitchen, env), password, again];
        let form = Form::new(env.locale.t("staff.add_title"), env.locale.t("staff.add_body"), fields);
        Self { about: About::Add, form }
    }

    /// A change of somebody; `own`: of whoever is signed in.
    pub(super) fn new(change: Change, person: &StaffView, own: bool, env: &Env<'_>) -> Self {
        let title = |key: &str| env.locale.t_args(key, &[("name", &person.name)]);
        // A change of rights or secrets ends the sessions of the person.
        let mut body = env.locale.t(if own { "staff.own_body" } else { "staff.sessions_body" });
        let (about, form) = match change {
            Change::Role => {
                let fields = vec![roles(person.role, env), reason(env)];
                (About::Role(person.id), Form::new(title("staff.role_title"), body, fields))
            }
            Change::Active => {
                let key = if person.active { "staff.deactivate_title" } else { "staff.activate_title" };
                body = match (person.active, own) {
                    (false, _) => env.locale.t("staff.activate_body"),
                    (true, true) => env.locale.t("staff.own_out_body"),
                    (true, false) => body,
                };
                (About::Active(person.id, !person.active), Form::new(title(key), body, vec![reason(env)]))
            }
            Change::Password => {
                let labels = ("staff.password", "staff.password_again");
                let mut fields = Vec::from(twice("password", labels, PASSWORD, "staff.password_help", env));
                fields.push(reason(env));
                (About::Password(person.id), Form::new(title("staff.password_title"), body, fields))
            }
            Change::Pin => {
                let labels = ("staff.pin", "staff.pin_again");
                let mut fields = Vec::from(twice("pin", labels, PIN, "staff.pin_help", env));
                // A first PIN takes nothing from anybody.
                fields.extend(person.has_pin.then(|| reason(env)));
                (About::Pin(person.id), Form::new(title("staff.pin_title"), body, fields))
            }
        };
        Self { about, form }
    }

    /// The PIN with which a kiosk is left.
    pub(super) fn exit_pin(terminal: &TerminalView, env: &Env<'_>) -> Self {
        let title = env.locale.t_args("staff.exit_pin_title", &[("name", &terminal.name)]);
        let mut fields = Vec::from(twice("pin", ("staff.pin", "staff.pin_again"), PIN, "staff.pin_help", env));
        // Whether there is a PIN already is known to the house alone.
        let why = Field::line("reason", env.locale.t("staff.reason"), Kind::Text, REASON, "");
        fields.push(why.with_help(env.locale.t("staff.exit_pin_reason_help")));
        let form = Form::new(title, env.locale.t("staff.exit_pin_body"), fields);
        Self { about: About::ExitPin(terminal.id), form }
    }

    /// A terminal is taken off.
    pub(super) fn revoke(terminal: &TerminalView, env: &Env<'_>) -> Self {
        let title = env.locale.t_args("staff.revoke_title", &[("name", &terminal.name)]);
        let form = Form::new(title, env.locale.t("staff.revoke_body"), vec![reason(env)]);
        Self { about: About::Revoke(terminal.id), form }
    }

    pub(super) fn context(&self) -> Context {
        self.form.context()
    }

    pub(super) fn on_input(&mut self, input: &Input<Msg>, env: &Env<'_>) -> Next {
        match self.form.on_input(input, env) {
            Filled::Open => Next::Open,
            Filled::Cancelled => Next::Cancelled,
            Filled::Sent => self.sent(env),
        }
    }

    fn sent(&mut self, env: &Env<'_>) -> Next {
        let form = &self.form;
        let secret = match self.about {
            About::Add | About::Password(_) => Some("password"),
            About::Pin(_) | About::ExitPin(_) => Some("pin"),
            About::Role(_) | About::Active(..) | About::Revoke(_) => None,
        };
        if secret.is_some_and(|name| form.secret(name) != form.secret("again")) {
            self.form.refuse(Some("again"), env.locale.t("staff.not_the_same"));
            return Next::Open;
        }
        let role = form.chosen("role").and_then(|at| ROLES.get(at)).copied().unwrap_or(Role::Kitchen);
        let (reason, password) = (form.text("reason"), Secret(form.secret("password")));
        Next::Act(match self.about {
            About::Add => {
                let (username, name) = (form.text("username"), form.text("name"));
                Act::AddStaff { username, name, role, password, pin: None }
            }
            About::Password(staff) => Act::SetPassword { staff, password, reason },
            About::Pin(staff) => Act::SetPin { staff, pin: Secret(form.secret("pin")), reason },
            About::ExitPin(terminal) => Act::SetExitPin { terminal, pin: Secret(form.secret("pin")), reason },
            About::Role(staff) => {
                Act::Command(Envelope::Staff(StaffCommand::SetRole(SetStaffRole { staff, role, reason })))
            }
            About::Active(staff, active) => {
                Act::Command(Envelope::Staff(StaffCommand::SetActive(SetStaffActive { staff, active, reason })))
            }
            About::Revoke(terminal) => {
                Act::Command(Envelope::Terminal(TerminalCommand::Revoke(RevokeTerminal { terminal, reason })))
            }
        })
    }

    /// The house refused: leads back to what was typed.
    pub(super) fn refuse(&mut self, refused: &Refused, env: &Env<'_>) {
        refuse_form(&mut self.form, refused, env);
    }

    /// What was asked could not be sent: takes keys again.
    pub(super) fn rewind(&mut self, env: &Env<'_>) {
        self.form.refuse(None, env.locale.t("staff.not_changed"));
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
        self.form.draw(frame, area, ctx);
    }
}
