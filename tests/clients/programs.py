"""Starts and ends the programs under test: each in its own temporary directory, on a free port of
loopback, ended by its process id, with the tail of its log shown when something fails.
"""
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def tollgate() -> Path:
    """The built binary: TOLLGATE_BIN, or the development build."""
    given = os.environ.get("TOLLGATE_BIN")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    binary = Path(given) if given else target / "debug" / "tollgate"
    if not binary.exists():
        raise SystemExit(f"{binary.name} is not built: cargo build --package tollgate")
    return binary.resolve()


def shared() -> Path:
    """The data that lies beside the repository."""
    return Path(os.environ.get("TOLLGATE_SHARED", ROOT.parent / "shared")).resolve()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A running program. Use it in a `with`."""

    def __init__(self, name: str, command: list, ready: str, environment: dict | None = None,
                 files: dict[str, str] | None = None, seconds: float = 20):
        self.name = name
        self.place = tempfile.TemporaryDirectory(prefix=f"tollgate-{name}-")
        for file, text in (files or {}).items():
            (Path(self.place.name) / file).write_text(text)
        self.log = Path(self.place.name) / "log"
        # Only what is needed: no provider's key of the machine reaches a test.
        clean = {"PATH": os.environ["PATH"], "HOME": self.place.name, **(environment or {})}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], cwd=self.place.name, env=clean,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._await(ready, seconds)

    def _await(self, ready: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(ready, timeout=1):
                    return
            except urllib.error.HTTPError as answered:
                if answered.code < 500:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        tail = self.tail()
        self.end()
        raise SystemExit(f"{self.name} did not start; its log ends with:\n{tail}")

    def tail(self, lines: int = 20, width: int = 300) -> str:
        """The end of the log; of a call that went well there is nothing to learn."""
        said = self.log.read_text(errors="replace").splitlines()
        worth = [line[:width] for line in said if '"http.response.status_code":200' not in line]
        return "\n".join(worth[-lines:])

    def run(self, command: list, environment: dict) -> str:
        """Runs a command beside the program, and gives what it says."""
        clean = {"PATH": os.environ["PATH"], "HOME": self.place.name, **environment}
        return subprocess.run([str(word) for word in command], cwd=self.place.name, env=clean,
                              check=True, capture_output=True, text=True, timeout=20).stdout

    def end(self) -> int | None:
        """Asks, waits a little, and then insists."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.place.cleanup()
        return self.process.returncode

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_) -> None:
        self.end()


def gateway(configuration: str, environment: dict | None = None) -> tuple[Program, str]:
    """A gateway with this configuration, and its address. `{data}` and `{admin}` become free ports."""
    data, admin = free_port(), free_port()
    written = configuration.replace("{data}", str(data)).replace("{admin}", str(admin))
    program = Program(
        "gateway", [tollgate(), "serve", "--config", "tollgate.yaml"],
        f"http://127.0.0.1:{admin}/readyz", environment, {"tollgate.yaml": written})
    return program, f"http://127.0.0.1:{data}"


def simulator() -> tuple[Program, str]:
    """The simulated provider alone."""
    port = free_port()
    program = Program("simulator", [tollgate(), "simulate", "--listen", f"127.0.0.1:{port}"],
                      f"http://127.0.0.1:{port}/_simulate/requests")
    return program, f"http://127.0.0.1:{port}"
