//! A PostgreSQL server for tests: a real one, in a temporary directory, on a free port of the
//! loopback. It ends with the process that started it, whatever ends that one: a shell watches a
//! pipe, ends the server when the pipe closes, and clears away its directory.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Arguments: where, which port, the folder of the programs. Answers each order with a line.
/// The server refuses to run as root, so root becomes the user `postgres`.
const WATCH: &str = r#"
set -eu
place=$1 port=$2 bin=$3
as=
if [ "$(id -u)" = 0 ]; then
  chown postgres "$place"
  as="setpriv --reuid postgres --regid postgres --clear-groups"
fi
cd "$place"
start() {
  $as "$bin/postgres" -D "$place/data" -h 127.0.0.1 -p "$port" -k '' -F \
    -c max_connections=200 -c shared_buffers=16MB -c logging_collector=off \
    </dev/null >>"$place/log" 2>&1 &
  server=$!
  tries=0
  until $as "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
      tail -n 5 "$place/log" | tr '\n' ' '; echo; return 1
    fi
    sleep 0.1
  done
}
stop() { kill -INT "$server" 2>/dev/null || true; wait "$server" || true; }
# Every process of the server: each connection has one.
signal() { kill "-$1" "$server" $(cat "/proc/$server/task/$server/children"); }
trap 'signal CONT 2>/dev/null || true; stop; rm -rf "$place"' EXIT
server=0
$as "$bin/initdb" -D "$place/data" -U tollgate -A trust -E UTF8 --locale=C --no-sync >"$place/log" 2>&1 ||
  { tail -n 5 "$place/log" | tr '\n' ' '; echo; exit 1; }
start
echo ready
while read -r order name; do
  case $order in
    database) $as "$bin/createdb" -h 127.0.0.1 -p "$port" -U tollgate "$name" 2>&1 | tr '\n' ' ' ;;
    stop) stop ;;
    start) start ;;
    pause) signal STOP ;;
    resume) signal CONT ;;
  esac
  echo done
done
"#;

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    shell: Mutex<Shell>,
}

#[derive(Debug)]
struct Shell {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Postgres {
    /// Starts a server; `None` when PostgreSQL is not installed here, which is said.
    ///
    /// # Errors
    /// When it is installed and does not start, or when it is absent and `STRICT=1` demands it.
    pub fn start() -> Result<Option<Self>, String> {
        let Some(programs) = programs() else {
            if env::var("STRICT").is_ok_and(|strict| strict == "1") {
                return Err("PostgreSQL is not installed (STRICT=1 demands it)".to_owned());
            }
            skipped();
            return Ok(None);
        };
        let said = |error: std::io::Error| format!("PostgreSQL: {error}");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = port.map_err(said)?.port();
        let place =
            env::temp_dir().join(format!("tollgate-postgres-{}-{port}", std::process::id()));
        std::fs::create_dir(&place).map_err(said)?;
        let mut child = Command::new("sh")
            .args(["-c", WATCH, "postgres"])
            .args([place.as_os_str(), port.to_string().as_ref(), programs.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(said)?;
        let orders = child.stdin.take();
        let answers = child.stdout.take().ok_or("PostgreSQL: its shell says nothing")?;
        let mut shell = Shell { child, orders, answers: BufReader::new(answers) };
        match shell.answer()?.as_str() {
            "ready" => Ok(Some(Self { port, shell: Mutex::new(shell) })),
            other => Err(format!("PostgreSQL does not start: {other}")),
        }
    }

    /// Makes an empty database, and says where it is.
    ///
    /// # Errors
    /// When the server refuses the name.
    pub fn database(&self, name: &str) -> Result<String, String> {
        self.order(&format!("database {name}"))?;
        Ok(format!("postgres://tollgate@127.0.0.1:{}/{name}", self.port))
    }

    /// Ends the server; its data stays.
    ///
    /// # Errors
    /// When its shell is gone.
    pub fn stop(&self) -> Result<(), String> {
        self.order("stop")
    }

    /// Starts it again after [`stop`](Self::stop), at the same place.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&self) -> Result<(), String> {
        self.order("start")
    }

    /// Makes it silent: connections stay open, and nothing is answered.
    ///
    /// # Errors
    /// When its shell is gone.
    pub fn pause(&self) -> Result<(), String> {
        self.order("pause")
    }

    /// Ends the silence.
    ///
    /// # Errors
    /// When its shell is gone.
    pub fn resume(&self) -> Result<(), String> {
        self.order("resume")
    }

    fn order(&self, order: &str) -> Result<(), String> {
        let mut shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner);
        let orders = shell.orders.as_mut().ok_or("PostgreSQL: its shell is gone")?;
        writeln!(orders, "{order}").map_err(|error| format!("PostgreSQL: {error}"))?;
        match shell.answer()?.as_str() {
            "done" => Ok(()),
            other => Err(format!("PostgreSQL, {order}: {other}")),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let shell = self.shell.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(shell.orders.take());
        let _ = shell.child.wait();
    }
}

impl Shell {
    fn answer(&mut self) -> Result<String, String> {
        let mut line = String::new();
        let read =
            self.answers.read_line(&mut line).map_err(|error| format!("PostgreSQL: {error}"))?;
        if read == 0 {
            return Err("PostgreSQL: its shell has ended".to_owned());
        }
        Ok(line.trim_end().to_owned())
    }
}

#[expect(clippy::print_stderr, reason = "a skip is seen and counted by the line it prints")]
fn skipped() {
    eprintln!("SKIPPED: PostgreSQL is not installed");
}

/// The folder of the server's programs: where Debian puts them, else where `PATH` leads.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    found.sort();
    found.reverse();
    found.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    found.into_iter().find(|folder| is_whole(folder))
}

fn is_whole(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_isready", "createdb"].iter().all(|name| folder.join(name).is_file())
}
