//! A network that can be made to fail: a relay between the program and Postgres, which lets bytes pass,
//! slows them, swallows them while connections stay open, or resets the connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What becomes of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Weather {
    /// They wait, both ways, and so do those of new connections, which are taken all the same.
    silent: bool,
    /// They come so much later, each way.
    late: Duration,
    /// Connections with a smaller number are forgotten: nothing of theirs passes ever again.
    forgotten: u64,
    /// Connections with a smaller number are reset.
    reset: u64,
}

/// The relay. It ends when dropped.
pub struct Relay {
    port: u16,
    weather: watch::Sender<Weather>,
    taken: Arc<AtomicU64>,
    _runtime: Runtime,
}

impl Relay {
    /// A relay to a server on this machine.
    pub fn before(port: u16) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        let (weather, seen) = watch::channel(Weather::default());
        let taken = Arc::new(AtomicU64::new(0));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let numbers = Arc::clone(&taken);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = numbers.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(relay(number, client, server, seen.clone()));
            }
        });
        Self { port, weather, taken, _runtime: runtime }
    }

    /// The address of the store behind the relay.
    pub fn url(&self, of_server: &str) -> String {
        of_server.replacen(&format!(":{}/", port_of(of_server)), &format!(":{}/", self.port), 1)
    }

    fn change(&self, change: impl FnOnce(&mut Weather)) {
        self.weather.send_modify(change);
    }

    /// From now on nothing passes.
    pub fn swallow(&self) {
        self.change(|weather| weather.silent = true);
    }

    /// Bytes pass again, and those that waited come late, as TCP sends again what was not heard.
    pub fn pass(&self) {
        self.change(|weather| weather.silent = false);
    }

    /// Bytes pass again on new connections only: the way of the old ones was forgotten.
    pub fn forget(&self) {
        let now = self.taken.load(Ordering::SeqCst);
        self.change(|weather| (weather.silent, weather.forgotten) = (false, now));
    }

    /// Every byte comes so much later.
    pub fn slow(&self, late: Duration) {
        self.change(|weather| weather.late = late);
    }

    /// Every connection is reset.
    pub fn reset(&self) {
        let now = self.taken.load(Ordering::SeqCst);
        self.change(|weather| (weather.silent, weather.reset) = (false, now));
    }
}

/// The port in an address of a server of the tests.
pub fn port_of(url: &str) -> u16 {
    let place = url.rsplit_once('@').map_or(url, |(_, place)| place);
    let port = place.split(['/', '?']).next().and_then(|place| place.rsplit_once(':')).map(|(_, port)| port);
    port.and_then(|port| port.parse().ok()).expect("a port")
}

async fn relay(number: u64, mut client: TcpStream, server: SocketAddr, weather: watch::Receiver<Weather>) {
    let mut resets = weather.clone();
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let reset = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        tokio::select! {
            _ = pump(number, &mut from_client, &mut to_server, weather.clone()) => false,
            _ = pump(number, &mut from_server, &mut to_client, weather) => false,
            _ = resets.wait_for(|weather| number < weather.reset) => true,
        }
    };
    if reset {
        let _ = client.set_zero_linger();
    }
}

/// Carries bytes one way until an end closes.
async fn pump(
    number: u64,
    from: &mut tokio::net::tcp::ReadHalf<'_>,
    to: &mut tokio::net::tcp::WriteHalf<'_>,
    mut weather: watch::Receiver<Weather>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        let Ok(now) = weather.wait_for(|weather| !weather.silent || number < weather.forgotten).await.map(|now| *now)
        else {
            return Ok(());
        };
        if number < now.forgotten {
            continue;
        }
        if !now.late.is_zero() {
            tokio::time::sleep(now.late).await;
        }
        to.write_all(&buffer[..count]).await?;
    }
}
