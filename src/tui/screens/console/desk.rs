//! What the tabs of the console share: who is signed in, the site, the questions and changes that are
//! under way, and what is said at the foot of the screen. No tab's own state lives here.

use super::message::{Act, Ask, Effect, Loaded};
use crate::domain::access::{Permission, Role};
use crate::domain::error::{ErrorCode, Refused};
use crate::domain::money::{Currency, Money};
use crate::domain::time::Timestamp;
use crate::service::archived_days::ArchivedDays;
use crate::service::site_info::SiteInfo;
use crate::tui::app::{Cmd, Env, Latest, RequestId, Requests, ViewCtx};
use crate::tui::refusal;
use crate::tui::screens::person::{Person, PersonPin};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widgets::form::Form;
use crate::tui::widgets::toast::Toast;
use chrono::NaiveDate;
use chrono_tz::Tz;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// What the console asks the runtime for.
pub type Commands = Vec<Cmd<Effect>>;

/// A change that is under way: one at a time, so that a second press never does a thing twice.
#[derive(Debug)]
struct Doing {
    request: RequestId,
    act: Act,
    key: String,
    overridden: bool,
}

/// What came of a change.
#[derive(Debug)]
pub struct Done {
    /// What was asked for.
    pub act: Act,
    /// What the house answered.
    pub result: Result<serde_json::Value, Refused>,
}

/// What an answer to a change means.
#[derive(Debug)]
pub(super) enum Settled {
    /// It answers nothing that is waited for.
    Stale,
    /// The person may not do it, but a manager could let it through.
    NeedsManager(Act),
    /// It is done, or refused for good.
    Done(Done),
}

/// The desk.
#[derive(Debug)]
pub struct Desk {
    key_prefix: String,
    requests: Requests,
    site: Latest<SiteInfo>,
    pub(super) person: Option<Person>,
    doing: Option<Doing>,
    /// A change whose answer was lost: a repeat of the same carries its key.
    lost: Option<(String, String)>,
    pub(super) toast: Toast,
    pub(super) away: bool,
    /// The instant of the input that is being worked on.
    pub(super) now: Timestamp,
}

impl Desk {
    pub(super) fn new(key_prefix: String) -> Self {
        Self {
            key_prefix,
            requests: Requests::default(),
            site: Latest::default(),
            person: None,
            doing: None,
            lost: None,
            toast: Toast::default(),
            away: false,
            now: Timestamp::default(),
        }
    }

    /// The site, once it has answered.
    #[must_use]
    pub const fn site(&self) -> Option<&SiteInfo> {
        self.site.get()
    }

    /// The site's money, once it has answered.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.site().map(|site| site.currency)
    }

    /// The site's time zone; UTC until it has answered.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.site().map_or(Tz::UTC, |site| site.zone)
    }

    /// The business day that is running, YYYY-MM-DD; `None` until the site has answered.
    #[must_use]
    pub fn business_day(&self) -> Option<String> {
        let site = self.site()?;
        Some(self.now.business_date(site.zone, site.settings.business_day_cutoff).format("%Y-%m-%d").to_string())
    }

    /// An amount as people write it.
    #[must_use]
    pub fn money(&self, amount: Money) -> String {
        self.currency().map_or_else(|| amount.0.to_string(), |currency| amount.display(currency))
    }

    /// The day and time of an instant, in the site's zone: `2026-11-21 18:30`.
    #[must_use]
    pub fn instant(&self, at: Timestamp) -> String {
        at.to_utc().with_timezone(&self.zone()).format("%Y-%m-%d %H:%M").to_string()
    }

    /// The time of an instant to the minute, in the site's zone: `18:30`.
    #[must_use]
    pub fn minute(&self, at: Timestamp) -> String {
        at.to_utc().with_timezone(&self.zone()).format("%H:%M").to_string()
    }

    /// The time of an instant, in the site's zone: `18:30:05`.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        at.to_utc().with_timezone(&self.zone()).format("%H:%M:%S").to_string()
    }

    /// Who is signed in.
    #[must_use]
    pub const fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }

    /// Whether the person who is signed in has this permission.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.person.as_ref().is_some_and(|person| Role::permissions(person.role).contains(&permission))
    }

    /// Whether a change is under way.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.doing.is_some()
    }

    /// Puts a question whose newest answer counts.
    pub fn ask<T>(&mut self, latest: &mut Latest<T>, ask: Ask) -> Commands {
        let request = latest.ask(&mut self.requests);
        vec![Cmd::Effect(Effect::Ask { request, ask: Box::new(ask) })]
    }

    /// An id for a request of another kind (files).
    pub const fn request(&mut self) -> RequestId {
        self.requests.next()
    }

    pub(super) fn ask_site(&mut self) -> Commands {
        let request = self.site.ask(&mut self.requests);
        vec![Cmd::Effect(Effect::Ask { request, ask: Box::new(Ask::Site(crate::service::site_info::ThisSite)) })]
    }

    /// Takes the site where the answer is the site; gives back what is not for the desk.
    pub(super) fn take_site(
        &mut self,
        request: RequestId,
        result: Result<Loaded, Refused>,
    ) -> Option<Result<Loaded, Refused>> {
        match result {
            Ok(Loaded::Site(site)) => {
                self.site.answer(request, *site);
                None
            }
            Err(_) if self.site.settle(request) => None,
            other => Some(other),
        }
    }

    /// Asks for a change. While another is under way it says so and asks for nothing.
    pub fn act(&mut self, act: Act, env: &Env<'_>) -> Commands {
        if self.doing.is_some() {
            self.say(env.locale.t("console.busy"), Token::Muted, env);
            return Vec::new();
        }
        let request = self.requests.next();
        let shape = format!("{act:?}");
        let key = match self.lost.take() {
            Some((lost, key)) if lost == shape => key,
            _ => format!("{}-{}", self.key_prefix, request.0),
        };
        self.start(request, act, key, None)
    }

    /// Asks again for what a manager lets through.
    pub(super) fn act_with(&mut self, act: Act, by: PersonPin) -> Commands {
        let request = self.requests.next();
        let key = format!("{}-{}", self.key_prefix, request.0);
        self.start(request, act, key, Some(by))
    }

    fn start(&mut self, request: RequestId, act: Act, key: String, override_pin: Option<PersonPin>) -> Commands {
        let overridden = override_pin.is_some();
        self.doing = Some(Doing { request, act: act.clone(), key: key.clone(), overridden });
        vec![Cmd::Effect(Effect::Do { request, act: Box::new(act), key, override_pin })]
    }

    /// Takes the answer to a change.
    pub(super) fn settle(&mut self, request: RequestId, result: Result<serde_json::Value, Refused>) -> Settled {
        let Some(doing) = self.doing.take_if(|doing| doing.request == request) else { return Settled::Stale };
        match &result {
            Err(refused) if refused.code == ErrorCode::InsufficientRole && !doing.overridden => {
                return Settled::NeedsManager(doing.act);
            }
            Err(refused) if matches!(refused.code, ErrorCode::StoreUnavailable | ErrorCode::InternalError) => {
                self.lost = Some((format!("{:?}", doing.act), doing.key));
            }
            _ => {}
        }
        Settled::Done(Done { act: doing.act, result })
    }

    /// An effect failed by a fault of ours: nothing is waited for any more.
    pub(super) fn give_up(&mut self) {
        self.site.give_up();
        if let Some(doing) = self.doing.take() {
            self.lost = Some((format!("{:?}", doing.act), doing.key));
        }
    }

    /// Says something at the foot of the screen.
    pub fn say(&mut self, words: impl Into<String>, token: Token, env: &Env<'_>) {
        self.toast.show(words, token, env.now);
    }

    /// Says why something is refused, and what can be done.
    pub fn refuse(&mut self, refused: &Refused, env: &Env<'_>) {
        self.say(refusal::sentence(refused, env.locale), Token::Danger, env);
    }
}

/// The house refused what a form asked for: leads back to the field that it names.
pub fn refuse_form(form: &mut Form, refused: &Refused, env: &Env<'_>) {
    let field = refused.details.get("field").and_then(serde_json::Value::as_str);
    // Where the field is one of a part, the house names the part before it.
    let field = field.and_then(|field| field.rsplit('.').next());
    form.refuse(field, refusal::sentence(refused, env.locale));
}

/// Draws words that stand where a list would, in as many rows as they need.
pub fn draw_words(words: &str, token: Token, frame: &mut Frame<'_>, area: Rect, ctx: &ViewCtx<'_>) {
    let rows = text::wrap(words, usize::from(area.width));
    let lines: Vec<Line<'_>> = rows.into_iter().map(|row| Line::styled(row, ctx.style(token))).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// What stands above a list or a report whose range begins (`None`: with the first order that ever was) on
/// a day whose orders are archived: the words of `key`, at most three rows.
#[must_use]
pub fn archived_lines(
    archived: &Latest<Option<ArchivedDays>>,
    from: Option<NaiveDate>,
    key: &str,
    width: u16,
    ctx: &ViewCtx<'_>,
) -> Vec<Line<'static>> {
    let reached = archived.get().and_then(Option::as_ref).filter(|archived| archived.are_in(from));
    let words =
        |archived: &ArchivedDays| ctx.locale.t_args(key, &[("day", &archived.before_text()), ("file", &archived.file)]);
    let rows = reached.map(|archived| text::wrap(&words(archived), usize::from(width))).unwrap_or_default();
    rows.into_iter().take(3).map(|row| Line::styled(row, ctx.style(Token::Warning))).collect()
}

/// The line that stands where a list is still on its way, or cannot be had.
#[must_use]
pub fn waiting_words(problem: Option<&Refused>, ctx: &ViewCtx<'_>) -> (String, Token) {
    match problem {
        Some(refused) => (refusal::sentence(refused, ctx.locale), Token::Danger),
        None => (ctx.locale.t("console.loading"), Token::Muted),
    }
}
