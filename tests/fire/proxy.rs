//! A door in front of a Postgres server that the test can slam: it passes bytes on, and cuts a
//! connection at its COMMIT when told to. Knows as much of the protocol as where a message ends.

use crate::support::wait::LIMIT;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// What becomes of the next COMMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextCommit {
    Passes = 0,
    /// The connection is lost before the server hears of it: nothing is kept.
    IsLost = 1,
    /// The connection is lost after the server did it: everything is kept, and nobody is told.
    AnswerIsLost = 2,
}

#[derive(Default)]
struct State {
    next: AtomicU8,
    cuts: AtomicUsize,
}

impl State {
    /// What is to become of this COMMIT; the one after it passes.
    fn take(&self) -> NextCommit {
        match self.next.swap(NextCommit::Passes as u8, Ordering::SeqCst) {
            0 => NextCommit::Passes,
            next => {
                self.cuts.fetch_add(1, Ordering::SeqCst);
                if next == NextCommit::IsLost as u8 { NextCommit::IsLost } else { NextCommit::AnswerIsLost }
            }
        }
    }
}

/// The proxy; it ends with its runtime when dropped.
pub struct Proxy {
    /// The address of the store through the proxy.
    pub url: String,
    state: Arc<State>,
    _runtime: Runtime,
}

impl Proxy {
    /// In front of the server of this address, which must name a host and not a socket.
    pub fn before(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").expect("an address");
        let (authority, database) = rest.split_once('/').expect("an address with a database");
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let server = if host.contains(':') { host.to_owned() } else { format!("{host}:5432") };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let state = Arc::new(State::default());
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a port");
        let address: SocketAddr = listener.local_addr().expect("a port");
        runtime.spawn(serve(listener, server, Arc::clone(&state)));
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let joint = if database.contains('?') { '&' } else { '?' };
        // Messages can be read only where they are not encrypted.
        let url = format!("{scheme}://{user}{address}/{database}{joint}sslmode=disable");
        Self { url, state, _runtime: runtime }
    }

    /// Says what becomes of the next COMMIT.
    pub fn next_commit(&self, next: NextCommit) {
        self.state.next.store(next as u8, Ordering::SeqCst);
    }

    /// How many were cut so far.
    pub fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

async fn serve(listener: TcpListener, server: String, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        let (server, state) = (server.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            let server = tokio::time::timeout(LIMIT, TcpStream::connect(server)).await;
            let server = server.expect("the server answers").expect("the server is there");
            client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).expect("sockets");
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let lost = Arc::new(AtomicU8::new(0));
            // Whoever ends first ends both: dropped halves close their socket.
            tokio::select! {
                () = questions(from_client, to_server, &state, &lost) => {}
                () = answers(from_server, to_client, &lost) => {}
            }
        });
    }
}

/// Passes on what the client asks, message by message.
async fn questions(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State, lost: &AtomicU8) {
    let mut begun = false;
    loop {
        // Only the first message has no letter before its length.
        let mut head = vec![0; if begun { 5 } else { 4 }];
        if from.read_exact(&mut head).await.is_err() {
            return;
        }
        let length = u32::from_be_bytes(head[head.len() - 4..].try_into().expect("4 bytes"));
        let mut body = vec![0; usize::try_from(length).expect("a length").saturating_sub(4)];
        if from.read_exact(&mut body).await.is_err() {
            return;
        }
        if begun && head[0] == b'Q' && body == b"COMMIT\0" {
            match state.take() {
                NextCommit::Passes => {}
                NextCommit::IsLost => return,
                NextCommit::AnswerIsLost => lost.store(1, Ordering::SeqCst),
            }
        }
        begun = true;
        head.append(&mut body);
        if to.write_all(&head).await.is_err() {
            return;
        }
    }
}

/// Passes on what the server answers, except the answer that is to be lost: it ends the connection.
async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, lost: &AtomicU8) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        match from.read(&mut bytes).await {
            Ok(length @ 1..) if lost.load(Ordering::SeqCst) == 0 => {
                if to.write_all(&bytes[..length]).await.is_err() {
                    return;
                }
            }
            _ => return,
        }
    }
}
