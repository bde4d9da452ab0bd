//! `servery metrics`: the numbers of the house in the text format of Prometheus, once on standard output or
//! over HTTP for whoever scrapes them (`--listen`). The store is only read, and needs not be there: then
//! the numbers say that it is away.

use super::desk::Desk;
use super::health::Lookout;
use super::output::{Done, Failure};
use super::{metrics_server, metrics_text};
use crate::domain::error::Refused;
use clap::Args;
use std::net::SocketAddr;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Where the numbers go.
#[derive(Debug, Args)]
pub struct Metrics {
    /// Serve GET /metrics and GET /health at this address until a signal ends it
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Let --listen name an address that other machines reach; nothing there asks who they are
    #[arg(long, requires = "listen")]
    allow_remote: bool,
}

/// Prints the numbers, or serves them.
///
/// # Errors
/// `VALIDATION_ERROR` for an address that cannot be listened at, or that others reach without the flag.
pub async fn run(metrics: Metrics, desk: &Desk) -> Done {
    let lookout = Lookout::new(desk.config.clone());
    let Some(address) = metrics.listen else {
        let look = lookout.look().await;
        desk.output.raw(&metrics_text::page(look.as_ref()))?;
        return match look {
            Ok(_) => Ok(()),
            Err(refused) => {
                desk.output.say(&format!("error: {}", super::output::shown(&refused.message)));
                Err(Failure::Reported)
            }
        };
    };
    if !address.ip().is_loopback() && !metrics.allow_remote {
        return Err(Refused::invalid("listen", format!("{address} can be reached by other machines."))
            .help("Listen at 127.0.0.1 or [::1], or give --allow-remote behind a firewall.")
            .into());
    }
    let stop = CancellationToken::new();
    // Before the first word, so that no signal falls between.
    let mut ends = Vec::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        ends.push(signal(kind).map_err(Refused::internal)?);
    }
    let listener = tokio::net::TcpListener::bind(address).await.map_err(|error| {
        Refused::invalid("listen", format!("{address} cannot be listened at: {error}."))
            .help("Choose a free port, or end what listens there.")
    })?;
    let bound = listener.local_addr().map_err(Refused::internal)?;
    desk.output.say(&format!("Listening at http://{bound}/metrics and http://{bound}/health"));
    let server = tokio::spawn(metrics_server::serve(listener, lookout, stop.clone()));
    let first = futures::future::select_all(ends.iter_mut().map(|end| Box::pin(end.recv())));
    first.await;
    stop.cancel();
    server.await.map_err(Refused::internal)?;
    Ok(())
}
