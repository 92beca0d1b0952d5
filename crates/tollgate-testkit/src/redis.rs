//! A Redis of a test's own: `redis-server` on a free port of this machine, in a temporary folder,
//! without persistence. Dropped, it is ended.
//!
//! Where the program is absent a test says so and does no work, or fails when `STRICT=1`.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests alone use it: a server that does not start ends the test, and what is skipped is said aloud"
)]

use std::env;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A server, and where it listens.
#[derive(Debug)]
pub struct Redis {
    address: SocketAddr,
    folder: PathBuf,
    options: &'static [&'static str],
    child: Option<Child>,
}

impl Redis {
    /// A fresh server, or `None` (said aloud) when the program is not on this machine.
    ///
    /// # Panics
    /// When it is absent and must not be, or does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::with(&[])
    }

    /// The same as a cluster of one, which owns every slot.
    ///
    /// # Panics
    /// When it is absent and must not be, or does not start.
    #[must_use]
    pub fn cluster() -> Option<Self> {
        let redis = Self::with(&["--cluster-enabled", "yes"])?;
        let said = redis.ask("CLUSTER ADDSLOTSRANGE 0 16383");
        assert!(said.starts_with("+OK"), "{said}");
        let begun = Instant::now();
        while !redis.ask("CLUSTER INFO").contains("cluster_state:ok") {
            assert!(begun.elapsed() < Duration::from_secs(10), "the cluster does not form");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(redis)
    }

    fn with(options: &'static [&'static str]) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let there = Command::new("redis-server").arg("--version").output().is_ok();
        if !there {
            assert!(env::var("STRICT").as_deref() != Ok("1"), "redis-server is absent");
            eprintln!("SKIPPED: redis-server is absent (scripts/toolchain test)");
            return None;
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder =
            env::temp_dir().join(format!("tollgate-redis-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        drop(listener);
        let mut redis = Self { address, folder, options, child: None };
        redis.start_again();
        Some(redis)
    }

    /// As a configuration writes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it at once. What it held is gone.
    ///
    /// # Panics
    /// When the system does not let go of it.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            child.wait().expect("the end of the server");
        }
    }

    /// A new server at the same address.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&mut self) {
        let child = Command::new("redis-server")
            .args(["--port", &self.address.port().to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(self.options)
            .arg("--dir")
            .arg(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server can be started");
        self.child = Some(child);
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() || !self.ask("PING").starts_with("+PONG") {
            assert!(begun.elapsed() < Duration::from_secs(10), "redis-server does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Lets it hang, connections and all, or go on.
    ///
    /// # Panics
    /// When no signal can be sent.
    pub fn hang(&self, hangs: bool) {
        let Some(child) = &self.child else { return };
        let signal = if hangs { "-STOP" } else { "-CONT" };
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(sent.expect("kill can be run").success());
    }

    /// What it says to one command, as it is on the wire.
    ///
    /// # Panics
    /// When it cannot be asked.
    #[must_use = "an error is an answer"]
    pub fn ask(&self, command: &str) -> String {
        let mut socket = TcpStream::connect(self.address).expect("a connection");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out");
        socket.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).expect("a command is sent");
        let mut said = String::new();
        let _ = socket.read_to_string(&mut said);
        said
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.hang(false);
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
