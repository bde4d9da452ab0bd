//! A slow line: a relay on a loopback port that hands every byte on only after half a round trip, both ways, in order.
//! It stands in for distance; nothing is waited for here but the time that light takes.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Opens a line to `target` with this round trip; the port at its near end. It lasts until the test process ends.
///
/// # Panics
/// When no port can be had.
pub fn open(target: SocketAddr, round_trip: Duration) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for near in listener.incoming() {
            let Ok(near) = near else { return };
            let Ok(far) = TcpStream::connect(target) else { continue };
            for (from, to) in [(&near, &far), (&far, &near)] {
                if let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) {
                    carry(from, to, round_trip / 2);
                }
            }
        }
    });
    port
}

/// Carries bytes one way, each piece `delay` after it came.
fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if sender.send((Instant::now() + delay, buffer[..count].to_vec())).is_err() {
                return;
            }
        }
    });
    std::thread::spawn(move || {
        // Nothing ever comes on this channel: receiving from it is the wait for an instant.
        let (_never, pause) = mpsc::channel::<()>();
        for (due, piece) in receiver {
            let left = due.saturating_duration_since(Instant::now());
            let arrived = pause.recv_timeout(left) == Err(RecvTimeoutError::Timeout);
            if !arrived || to.write_all(&piece).is_err() {
                break;
            }
        }
        // One side has ended: so does the other.
        let _ = to.shutdown(Shutdown::Both);
    });
}
