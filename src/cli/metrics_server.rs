//! The HTTP server behind `servery metrics --listen`: GET /metrics and GET /health, and nothing else. Bounded
//! on every side: connections at a time, the size of a request's head, the time that a client may take,
//! and how often the store is looked at, however often somebody asks.

use super::health::{self, Look, Lookout};
use super::metrics_text;
use crate::domain::error::Refused;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// Connections at a time; who comes next waits in the system's queue.
const CONNECTIONS: usize = 16;
/// A client sends the head of its request in this time.
const HEAD: Duration = Duration::from_secs(5);
/// A connection lasts for this time at most, whatever the client does.
const CONNECTION: Duration = Duration::from_secs(15);
/// The largest head of a request, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// The store is looked at once in this time at most.
const FRESH: Duration = Duration::from_secs(1);
/// A store that does not answer in this time is away.
const LOOK: Duration = Duration::from_secs(8);
/// After an accept that failed (no file handles are left).
const REST: Duration = Duration::from_millis(200);

/// The last look, and when it was taken.
type Seen = Option<(Instant, Arc<Result<Look, Refused>>)>;

struct House {
    lookout: Lookout,
    seen: Mutex<Seen>,
}

impl House {
    /// A look that is not older than [`FRESH`]. Whoever comes while another looks waits for that look.
    async fn look(&self) -> Arc<Result<Look, Refused>> {
        let mut seen = self.seen.lock().await;
        if let Some((at, look)) = &*seen
            && at.elapsed() < FRESH
        {
            return Arc::clone(look);
        }
        let look = timeout(LOOK, self.lookout.look()).await.unwrap_or_else(|_| {
            Err(Refused::new(crate::domain::error::ErrorCode::StoreUnavailable, "The store does not answer."))
        });
        let look = Arc::new(look);
        *seen = Some((Instant::now(), Arc::clone(&look)));
        look
    }
}

/// Serves until `stop` is cancelled, and lets begun answers come to their end.
pub async fn serve(listener: TcpListener, lookout: Lookout, stop: CancellationToken) {
    let house = Arc::new(House { lookout, seen: Mutex::new(None) });
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        // The semaphore is never closed.
        let Ok(place) = place else { break };
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(REST).await;
                    continue;
                }
            },
        };
        // Those that have ended are forgotten.
        while open.try_join_next().is_some() {}
        let (house, stop) = (Arc::clone(&house), stop.clone());
        open.spawn(async move {
            let _place = place;
            talk(stream, house, stop).await;
        });
    }
    drop(listener);
    // Each is bounded by itself.
    while open.join_next().await.is_some() {}
}

async fn talk(stream: TcpStream, house: Arc<House>, stop: CancellationToken) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let house = Arc::clone(&house);
        async move { Ok::<_, Infallible>(answer(&request, &house).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(MAX_HEAD).keep_alive(false);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), answer));
    let mut ending = false;
    let over = async {
        loop {
            tokio::select! {
                ended = &mut connection => return ended,
                () = stop.cancelled(), if !ending => {
                    ending = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    };
    match timeout(CONNECTION, over).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection ended badly"),
        Err(_) => tracing::debug!("a connection took too long"),
    }
}

async fn answer(request: &Request<Incoming>, house: &House) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    if !matches!(path, "/metrics" | "/health") {
        return text(
            StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            "There are /metrics and /health.\n".to_owned(),
        );
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let words = "Only GET.\n".to_owned();
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", words);
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    let look = house.look().await;
    if path == "/metrics" {
        return text(StatusCode::OK, metrics_text::CONTENT_TYPE, metrics_text::page(look.as_ref().as_ref()));
    }
    let (status, body) = match look.as_ref() {
        Ok(look) => {
            let status = if look.view.is_healthy() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            match health::json(look) {
                Ok(body) => (status, body),
                Err(refused) => (StatusCode::INTERNAL_SERVER_ERROR, refused.to_json()),
            }
        }
        Err(refused) => (StatusCode::SERVICE_UNAVAILABLE, health::away(&house.lookout.address(), refused)),
    };
    text(status, "application/json", format!("{body}\n"))
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
