#!/usr/bin/env python3
"""Installs the clients that the tests drive, each set at the exact versions of its lock file.

    tests/clients/install.py          what `make test` needs
    tests/clients/install.py --all    every version, the frameworks, and the command lines

A set that is already there at these versions is left alone. Nothing outside the repository is touched.
"""
import argparse
import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLACE = HERE.parent.parent / "target" / "clients"
PYTHON_FAST = ["newest", "llama", "clouds", "vendors"]
PYTHON_LONG = ["previous", "oldest", "langchain", "agents", "frameworks"]
NODE_FAST = ["node", "aimock"]
NODE_LONG = ["claude-code", "codex"]


def main() -> int:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--all", action="store_true")
    everything = wanted.parse_args().all
    PLACE.mkdir(parents=True, exist_ok=True)
    for name in PYTHON_FAST + (PYTHON_LONG if everything else []):
        python(name)
    for name in NODE_FAST + (NODE_LONG if everything else []):
        node(name)
    return 0


def interpreter(name: str) -> Path:
    """The Python that has the set installed."""
    return PLACE / f"venv-{name}" / "bin" / "python"


def python(name: str) -> None:
    requirements = HERE / "requirements" / f"{name}.txt"
    place = PLACE / f"venv-{name}"
    if installed(place, requirements):
        return
    print(f"installing the Python set {name}", flush=True)
    shutil.rmtree(place, ignore_errors=True)
    venv.create(place, with_pip=True)
    subprocess.run(
        [interpreter(name), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--only-binary", ":all:", "--requirement", requirements],
        check=True, stdin=subprocess.DEVNULL, timeout=600)
    stamp(place, requirements)


def node(name: str) -> None:
    lock, place = HERE / name / "package-lock.json", HERE / name / "node_modules"
    if installed(place, lock):
        return
    print(f"installing the Node set {name}", flush=True)
    # No package runs a script while it is installed, but for one that unpacks its own program.
    scripts = [] if name == "claude-code" else ["--ignore-scripts"]
    subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--loglevel", "error", *scripts],
        cwd=HERE / name, check=True, stdin=subprocess.DEVNULL, timeout=600)
    stamp(place, lock)


def digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def installed(place: Path, lock: Path) -> bool:
    mark = place / ".installed"
    return mark.exists() and mark.read_text() == digest(lock)


def stamp(place: Path, lock: Path) -> None:
    (place / ".installed").write_text(digest(lock))


if __name__ == "__main__":
    sys.exit(main())
