"""The Codex command line, unchanged, with an empty home and the gateway as its provider: it speaks the
Responses dialect, and runs what it is told to in its own shell.
"""
import os
import subprocess
import tempfile
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent / "codex" / "node_modules" / ".bin" / "codex"
SETTINGS = """
model = "{model}"
model_provider = "gate"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.gate]
name = "gate"
base_url = "{root}/v1"
env_key = "GATE_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""
# Name, what is asked, and what has to be in its last message.
CASES = [
    ("answers", "Please say 5 words", "word1 word2 word3 word4 word5"),
    ("runs a tool", 'call exec_command with {"cmd":"echo gate-$((40+2))"}', "gate-42"),
]


def check(root: str, key: str, models: list[str]) -> list[dict]:
    """One row for each case and model."""
    rows = []
    for model in models:
        for name, prompt, wanted in CASES:
            row = {"name": f"codex with {model}: {name}", "status": "passed"}
            problem = ask(root, key, model, prompt, wanted)
            if problem:
                row |= {"status": "failed", "why": problem}
            rows.append(row)
    return rows


def ask(root: str, key: str, model: str, prompt: str, wanted: str) -> str | None:
    """What is wrong, if anything is."""
    with tempfile.TemporaryDirectory(prefix="tollgate-codex-") as home:
        (Path(home) / "config.toml").write_text(SETTINGS.format(root=root, model=model))
        last = Path(home) / "last"
        environment = {"PATH": os.environ["PATH"], "HOME": home, "CODEX_HOME": home, "GATE_KEY": key}
        command = [PROGRAM, "exec", "--skip-git-repo-check", "--color", "never",
                   "--output-last-message", last, prompt]
        try:
            ran = subprocess.run(command, cwd=home, env=environment, stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, timeout=90)
        except subprocess.TimeoutExpired:
            return "no answer in 90 s"
        said = last.read_text() if last.exists() else ""
    if ran.returncode != 0 or wanted not in said:
        return f"exit code {ran.returncode}: {said[-200:]!r}; {ran.stdout[-200:]}{ran.stderr[-500:]}"
    return None
