"""The Claude Code command line, unchanged, with an empty home and the gateway as its base URL."""
import json
import os
import subprocess
import tempfile
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent / "claude-code" / "node_modules" / ".bin" / "claude"
# Name, what is asked, the tools it may use without asking, and what has to be in its answer.
CASES = [
    ("answers", "Please say 5 words", "", "word1 word2 word3 word4 word5"),
    ("runs a tool", 'call Bash with {"command":"echo gate-$((40+2))","description":"adds"}', "Bash",
     "gate-42"),
]


def check(root: str, key: str, models: list[str]) -> list[dict]:
    """One row for each case and model."""
    rows = []
    for model in models:
        for name, prompt, tools, wanted in CASES:
            row = {"name": f"claude-code with {model}: {name}", "status": "passed"}
            problem = ask(root, key, model, prompt, tools, wanted)
            if problem:
                row |= {"status": "failed", "why": problem}
            rows.append(row)
    return rows


def ask(root: str, key: str, model: str, prompt: str, tools: str, wanted: str) -> str | None:
    """What is wrong, if anything is."""
    with tempfile.TemporaryDirectory(prefix="tollgate-claude-code-") as home:
        environment = {
            "PATH": os.environ["PATH"], "HOME": home, "ANTHROPIC_BASE_URL": root,
            "ANTHROPIC_API_KEY": key, "ANTHROPIC_MODEL": model, "ANTHROPIC_SMALL_FAST_MODEL": model,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
        }
        command = [PROGRAM, "--print", prompt, "--model", model, "--output-format", "json"]
        if tools:
            command += ["--allowedTools", tools]
        try:
            ran = subprocess.run(command, cwd=home, env=environment, stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            return "no answer in 60 s"
    try:
        result = json.loads(ran.stdout)
    except ValueError:
        return f"exit code {ran.returncode}: {ran.stdout[-300:]}{ran.stderr[-300:]}"
    if ran.returncode != 0 or result["is_error"]:
        return f"exit code {ran.returncode}: {result['result'][:400]}"
    if wanted not in result["result"]:
        return f"{wanted!r} is not in {result['result'][:400]!r}"
    return None
