//! Showing a screen on the local terminal: takes the terminal, loads the looks, wires the change feed
//! and runs the loop until the person or a signal ends it.

use crate::cli::app::House;
use crate::domain::error::{ErrorCode, Refused};
use crate::store::{Feed, FeedEvent, Store};
use crate::tui::app::App;
use crate::tui::runtime::{Exit, Handle, Runtime, contain};
use crate::tui::terminal::{self, Capabilities, TerminalNeeds};
use crate::tui::ui::{Overrides, Ui};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// The largest theme, key map or catalogue that is read, in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// What a role wants of its terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wishes {
    /// Clicks.
    pub mouse: bool,
    /// Nothing of a customer may stay behind.
    pub wipe: bool,
}

/// A file of the user's configuration, if it is there.
fn user_file(house: &House, name: &str) -> Result<Option<String>, Refused> {
    let path = house.config.config_folder.join(name);
    let refuse =
        |why: String| Refused::new(ErrorCode::ValidationError, format!("{} {why}", path.display())).with("field", name);
    let length = match std::fs::metadata(&path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(format!("cannot be read: {error}."))),
    };
    if length > MAX_FILE {
        return Err(refuse("is too large.".to_owned()));
    }
    std::fs::read_to_string(&path).map(Some).map_err(|error| refuse(format!("cannot be read: {error}.")))
}

/// The looks, keys and words of a screen, with the user's overrides.
fn load_ui(house: &House, capabilities: Capabilities) -> Result<Ui, Refused> {
    let (theme, keymap, locale) =
        (user_file(house, "theme.toml")?, user_file(house, "keys.toml")?, user_file(house, "locale.toml")?);
    let overrides = Overrides { theme: theme.as_deref(), keymap: keymap.as_deref(), locale: locale.as_deref() };
    Ui::load(capabilities.background, capabilities.colors, &overrides)
        .map_err(|error| Refused::new(ErrorCode::ValidationError, error.to_string()))
}

/// Shows a screen until it ends; its exit status.
///
/// # Errors
/// `VALIDATION_ERROR` for a theme, key map or catalogue that is wrong. What the terminal refuses is
/// told on standard error, with exit status 2 where there is none.
pub async fn show<A, R>(house: &House, app: &mut A, wishes: Wishes, run: R) -> Result<ExitCode, Refused>
where
    A: App,
    A::Msg: Send + 'static,
    R: Fn(A::Effect) -> BoxFuture<'static, A::Msg>,
{
    show_with(house, app, wishes, run, |_| {}).await
}

/// As `show`; `started` gets the handle by which messages reach the screen.
///
/// # Errors
/// As `show`.
pub async fn show_with<A, R>(
    house: &House,
    app: &mut A,
    wishes: Wishes,
    run: R,
    started: impl FnOnce(Handle<A::Msg>),
) -> Result<ExitCode, Refused>
where
    A: App,
    A::Msg: Send + 'static,
    R: Fn(A::Effect) -> BoxFuture<'static, A::Msg>,
{
    let capabilities = Capabilities::detect();
    let ui = load_ui(house, capabilities)?;
    let needs = TerminalNeeds {
        mouse: wishes.mouse,
        wipe_scrollback: wishes.wipe,
        report_folder: Some(house.config.state_folder.clone()),
    };
    let stop = CancellationToken::new();
    let (guard, host) = match terminal::open(needs, capabilities, stop) {
        Ok(opened) => opened,
        Err(error) => {
            let status = u8::try_from(error.exit_status()).unwrap_or(1);
            crate::cli::output::complain(&error.to_string());
            return Ok(ExitCode::from(status));
        }
    };
    #[cfg(debug_assertions)]
    let app = &mut super::fault::Faulty::new(app);
    let clock = std::sync::Arc::clone(house.door.clock());
    let ended = {
        let runtime = Runtime::new(app, &ui, &*clock, host).map_err(Refused::internal)?;
        let feed = tokio::spawn(watch(house.store.clone(), house.door.site_id().to_owned(), runtime.handle()));
        started(runtime.handle());
        let ended = runtime.run(run).await;
        feed.abort();
        ended
    };
    drop(guard);
    match ended {
        Ok(Exit::Quit(status)) => Ok(ExitCode::from(u8::try_from(status).unwrap_or(1))),
        Ok(Exit::Stopped | Exit::InputClosed) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(Refused::internal(error)),
    }
}

/// Tells a screen what the change feed of a site says, until it is aborted.
pub async fn watch<M: Send + 'static>(store: Store, site: String, handle: Handle<M>) {
    let mut feed = Feed::open(&store, &site);
    let told = contain(
        async move {
            loop {
                match feed.changed().await {
                    FeedEvent::Changed => handle.store_changed(),
                    FeedEvent::Away => handle.store_away(true),
                    FeedEvent::Back => handle.store_away(false),
                }
            }
        }
        .boxed(),
    );
    let Err(panic): Result<std::convert::Infallible, String> = told.await;
    tracing::error!(panic, "the change feed of a screen ended");
}
