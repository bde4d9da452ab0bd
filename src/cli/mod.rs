//! The command line: one file per command, and the road that all of them take (read the
//! configuration, start the log, open the house, find out who acts, run, print). No rule lives here:
//! every command runs the use cases that the screens run.

mod about;
mod actor;
mod app;
mod archive;
mod audit;
mod bench;
mod cart;
pub mod crew;
mod db;
mod desk;
mod doctor;
mod events;
mod figures;
mod files;
mod generate;
mod health;
mod init;
mod load;
mod log;
mod menu;
mod menu_edit;
mod metrics;
mod metrics_server;
mod metrics_text;
mod notices;
mod order;
mod order_look;
mod order_place;
mod output;
mod promotion;
mod report;
pub mod roles;
mod run;
mod session;
mod setting;
mod shape;
mod sim;
mod staff;
mod stock;
mod stress;
mod terminal;
mod till;

pub use app::{House, Role};

use crate::config::{Config, Flags, Variables};
use crate::domain::error::ErrorCode;
use clap::{Args, Parser, Subcommand};
use output::Output;
use std::path::PathBuf;
use std::process::ExitCode;

/// An ordering system in the terminal: kiosk, kitchen board, now-serving board and command line over
/// one shared store.
#[derive(Debug, Parser)]
#[command(name = "servery", version, about, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The store: sqlite:PATH or postgres://…, several hosts separated by commas [environment: SERVERY_STORE]
    #[arg(long, global = true, value_name = "URL")]
    store: Option<String>,
    /// The site of the store, "main" unless said otherwise [environment: SERVERY_SITE]
    #[arg(long, global = true, value_name = "NAME")]
    site: Option<String>,
    /// Print JSON; refusals as {"error":{"code","message","details"}}
    #[arg(long, global = true)]
    json: bool,
    /// Act as this member of staff, who has signed in with `servery login`
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "as_kiosk")]
    staff: Option<String>,
    /// Act as the guest at this kiosk
    #[arg(long, global = true, value_name = "TERMINAL")]
    as_kiosk: Option<String>,
    /// Let this one command through with the PIN of this admin, read from a prompt or standard input
    #[arg(long, global = true, value_name = "ADMIN")]
    override_by: Option<String>,
    /// The idempotency key: the same command with the same key happens once
    #[arg(long, global = true, value_name = "KEY")]
    key: Option<String>,
    /// Write the log as JSON lines [environment: SERVERY_LOG_JSON]
    #[arg(long, global = true)]
    log_json: bool,
    /// The configuration file [environment: SERVERY_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A script that fixes the outcomes of the simulated gateways [environment: SERVERY_GATEWAY_SCRIPT]
    #[arg(long, global = true, value_name = "FILE")]
    gateway_script: Option<PathBuf>,
}

impl Global {
    fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            store: self.store.clone(),
            site: self.site.clone(),
            terminal: None,
            gateway_script: self.gateway_script.clone(),
            log_json: self.log_json,
        }
    }
}

/// What every screen may be told.
#[derive(Debug, Clone, Args)]
struct Screen {
    /// The name of this terminal; made from the host's name when none is given
    #[arg(long, value_name = "NAME")]
    terminal: Option<String>,
}

/// What can be asked of the program. A screen is one line here and one in [`run`].
#[derive(Debug, Subcommand)]
enum Command {
    /// The customer's kiosk
    Kiosk(Screen),
    /// The kitchen's board
    Kitchen(Screen),
    /// The "now serving" board, for a second screen
    Board(Screen),
    /// The staff's console: orders, menu, stock, till, settings, staff, reports, audit, health
    Console(Screen),
    /// What happens without a key press: time-outs, open payments, refunds, events
    Worker,
    /// The menu: list, import, export, every change of it, and switching dishes off
    #[command(subcommand)]
    Menu(menu::Menu),
    /// The cart of a guest
    #[command(subcommand)]
    Cart(cart::Cart),
    /// Orders: place, pay, and every step after it
    #[command(subcommand)]
    Order(Box<order::Order>),
    /// Promotion codes: list, add, edit, switch on and off
    #[command(subcommand)]
    Promotion(promotion::Promotions),
    /// Stock: what is there, what runs out, and every change by hand
    #[command(subcommand)]
    Stock(stock::Stock),
    /// The till: open, close, cash in and out, reports
    #[command(subcommand)]
    Till(till::Till),
    /// Reports of any range of business days: sales, items, hours, speed, refunds, statistics
    #[command(subcommand)]
    Report(report::Report),
    /// Who did what, when, where and why; and whether the seals over it hold
    #[command(subcommand)]
    Audit(audit::Audit),
    /// The settings of the site
    #[command(subcommand)]
    Config(setting::Setting),
    /// Who works here
    #[command(subcommand)]
    Staff(staff::Staff),
    /// What the house told you, or about an order
    Notices(notices::Notices),
    /// The registered kiosks, kitchens, boards and counters
    #[command(subcommand)]
    Terminal(terminal::Terminal),
    /// Sign in; the password comes from a prompt or standard input
    Login(session::Login),
    /// Sign out
    Logout(session::Logout),
    /// Who a command would be given by
    Whoami,
    /// Play the part of a payment provider
    #[command(subcommand)]
    Sim(sim::Sim),
    /// Run one command given as JSON on standard input
    Run,
    /// What the house told the world, as JSON lines
    Events(events::Events),
    /// How the house is; exit status 1 where it is not well
    Health,
    /// The numbers of the house as Prometheus reads them; with --listen, over HTTP
    Metrics(metrics::Metrics),
    /// Recompute the store and name what disagrees; exit status 1 where something does
    Doctor(doctor::Doctor),
    Archive(archive::Archive),
    Generate(generate::Generate),
    /// The store itself: migrate, status, backup, restore
    #[command(subcommand)]
    Db(db::Db),
    /// Let real processes race for the last units, and prove from the ledger that none was sold twice
    #[command(long_about = stress::ABOUT)]
    Stress(stress::Stress),
    /// Measure how fast the house is on this machine and store, beside the limit of bare SQL
    #[command(long_about = bench::ABOUT)]
    Bench(bench::Arguments),
    /// A process of stress or bench, started by them
    #[command(name = load::CREW, hide = true)]
    Crew,
    /// Set a site up: a real place with its first admin, or (--demo) the demo
    Init(init::Init),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page of the program, or of a command
    Man {
        /// The command
        command: Vec<String>,
    },
}

/// Starts what the command line asks for, on a runtime of its own.
#[must_use]
pub fn start(arguments: Cli) -> ExitCode {
    let output = Output { json: arguments.global.json };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(arguments, output)),
        Err(error) => output.fail(&crate::domain::error::Refused::internal(error).into()),
    }
}

async fn run(arguments: Cli, output: Output) -> ExitCode {
    let Cli { global, command } = arguments;
    let config = match Variables::of_process().and_then(|variables| Config::load(&global.flags(), variables)) {
        Ok(config) => config,
        Err(refused) => return output.fail(&refused.into()),
    };
    log::start(&config);
    let desk = desk::Desk { config, global, output };
    let Some(command) = command else {
        return match init::offer(&desk).await {
            Ok(()) => open_role(desk.config, None, RoleName::Launcher, output).await,
            Err(failure) => output.fail(&failure),
        };
    };
    let done = match command {
        Command::Kiosk(screen) => return open_role(desk.config, screen.terminal, RoleName::Kiosk, output).await,
        Command::Kitchen(screen) => return open_role(desk.config, screen.terminal, RoleName::Kitchen, output).await,
        Command::Board(screen) => return open_role(desk.config, screen.terminal, RoleName::Board, output).await,
        Command::Console(screen) => return open_role(desk.config, screen.terminal, RoleName::Console, output).await,
        Command::Worker => return open_role(desk.config, None, RoleName::Worker, output).await,
        Command::Menu(menu) => menu::run(menu, &desk).await,
        Command::Cart(cart) => cart::run(cart, &desk).await,
        Command::Order(order) => order::run(*order, &desk).await,
        Command::Promotion(promotion) => promotion::run(promotion, &desk).await,
        Command::Stock(stock) => stock::run(stock, &desk).await,
        Command::Till(till) => till::run(till, &desk).await,
        Command::Report(report) => report::run(report, &desk).await,
        Command::Audit(audit) => audit::run(audit, &desk).await,
        Command::Config(setting) => setting::run(setting, &desk).await,
        Command::Staff(staff) => staff::run(staff, &desk).await,
        Command::Notices(notices) => notices::run(notices, &desk).await,
        Command::Terminal(terminal) => terminal::run(terminal, &desk).await,
        Command::Login(login) => session::login(login, &desk).await,
        Command::Logout(logout) => session::logout(logout, &desk).await,
        Command::Whoami => session::whoami(&desk).await,
        Command::Sim(sim) => sim::run(sim, &desk).await,
        Command::Run => run::run(&desk).await,
        Command::Events(events) => events::run(events, &desk).await,
        Command::Health => health::run(&desk).await,
        Command::Metrics(metrics) => metrics::run(metrics, &desk).await,
        Command::Doctor(doctor) => doctor::run(doctor, &desk).await,
        Command::Archive(archive) => archive::run(archive, &desk).await,
        Command::Generate(generate) => generate::run(generate, &desk).await,
        Command::Db(db) => db::run(db, &desk).await,
        Command::Stress(stress) => stress::run(stress, &desk).await,
        Command::Bench(bench) => bench::run(bench, &desk).await,
        Command::Crew => load::serve().await,
        Command::Init(init) => init::run(init, &desk).await,
        Command::Completions { shell } => about::completions(shell, output),
        Command::Man { command } => about::man(&command, output),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}

/// The roles that go on until somebody ends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RoleName {
    Launcher,
    Kiosk,
    Kitchen,
    Board,
    Console,
    Worker,
}

/// Opens the house for a role and runs it.
async fn open_role(mut config: Config, terminal: Option<String>, name: RoleName, output: Output) -> ExitCode {
    config.terminal = terminal.or(config.terminal);
    let opened = match name {
        RoleName::Board => House::open(&config, Role::Watches).await,
        // A kitchen without the gateways' keys still cooks; it only does not lead the house. So does a console.
        RoleName::Kitchen | RoleName::Console => match House::open(&config, Role::TakesPayments).await {
            Err(refused) if refused.code == ErrorCode::ValidationError => House::open(&config, Role::Watches).await,
            other => other,
        },
        _ => House::open(&config, Role::TakesPayments).await,
    };
    let house = match opened {
        Ok(house) => house,
        Err(refused) => return output.fail(&refused.into()),
    };
    for notice in &house.notices {
        output::complain(notice);
    }
    // All the others verify somebody: staff, or the exit PIN of a kiosk.
    if !matches!(name, RoleName::Board | RoleName::Worker)
        && let Err(refused) = house.secrets.check_store(&house.door).await
    {
        return output.fail(&refused.into());
    }
    let ended = match name {
        RoleName::Launcher => roles::launcher(house).await,
        RoleName::Kiosk => roles::kiosk(house).await,
        RoleName::Kitchen => roles::kitchen(house).await,
        RoleName::Board => roles::board(house).await,
        RoleName::Console => roles::console::run(house).await,
        RoleName::Worker => roles::worker(house).await,
    };
    ended.unwrap_or_else(|refused| output.fail(&refused.into()))
}
