//! A wire between device and headquarters that keeps what went over it and can be cut at any byte.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the wire does, and what went over it.
#[derive(Default)]
struct State {
    up: Vec<u8>,
    down: Vec<u8>,
    /// How many bytes the next connection carries up, down, before it is cut; none for all.
    cut: (Option<usize>, Option<usize>),
}

/// A wire.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Wire {
    /// A wire to this address; it ends with the process.
    pub(crate) fn to(headquarters: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let carried = wire.clone();
        std::thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                let wire = carried.clone();
                std::thread::spawn(move || wire.carry(&caller, headquarters));
            }
        });
        wire
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts every connection from now on after so many bytes up or down.
    pub(crate) fn cut(&self, up: Option<usize>, down: Option<usize>) {
        self.state.lock().unwrap().cut = (up, down);
    }

    /// Everything that went over it, both ways.
    pub(crate) fn bytes(&self) -> (Vec<u8>, Vec<u8>) {
        let state = self.state.lock().unwrap();
        (state.up.clone(), state.down.clone())
    }

    fn carry(&self, caller: &TcpStream, headquarters: SocketAddr) {
        let Ok(there) = TcpStream::connect(headquarters) else { return };
        let (up, down) = self.state.lock().unwrap().cut;
        std::thread::scope(|both| {
            both.spawn(|| self.copy(caller, &there, up, |state| &mut state.up));
            self.copy(&there, caller, down, |state| &mut state.down);
        });
    }

    fn copy(
        &self,
        mut from: &TcpStream,
        mut to: &TcpStream,
        cut: Option<usize>,
        kept: fn(&mut State) -> &mut Vec<u8>,
    ) {
        let (mut left, mut piece) = (cut, [0; 4096]);
        loop {
            let room = left.unwrap_or(piece.len()).min(piece.len());
            let read = if room == 0 { 0 } else { from.read(&mut piece[..room]).unwrap_or(0) };
            if read == 0 || to.write_all(&piece[..read]).is_err() {
                break;
            }
            kept(&mut self.state.lock().unwrap()).extend(&piece[..read]);
            left = left.map(|left| left - read);
        }
        // A cut ends both ways, as on a link that is gone; an end in order ends one.
        if left == Some(0) {
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        } else {
            let _ = to.shutdown(Shutdown::Write);
        }
    }
}
