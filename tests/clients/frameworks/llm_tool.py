"""The `llm` command line with a model of its own list that leads to the gateway."""
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

NAME = f"llm {importlib.metadata.version('llm')}"
MODELS = """
- model_id: through-the-gate
  model_name: "{model}"
  api_base: "{base}"
  api_key_name: gate
  supports_tools: true
  supports_schema: true
  vision: true
"""
TOOL = 'def get_weather(city: str) -> str:\n    "The weather of a city."\n    return f"seven degrees in {city}"\n'


def ask(place, *words: str) -> str:
    with tempfile.TemporaryDirectory(prefix="tollgate-llm-") as home:
        settings = MODELS.format(model=place.model, base=place.openai)
        (Path(home) / "extra-openai-models.yaml").write_text(settings)
        (Path(home) / "keys.json").write_text(json.dumps({"gate": place.key}))
        environment = {"PATH": os.environ["PATH"], "HOME": home, "LLM_USER_PATH": home}
        ran = subprocess.run(
            [Path(sys.executable).with_name("llm"), "-m", "through-the-gate", *words],
            env=environment, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, f"exit code {ran.returncode}: {ran.stderr[-400:]}"
        return ran.stdout.strip()


def streams(place) -> None:
    said = ask(place, "Please say 5 words", "--system", "Answer.")
    assert said == "word1 word2 word3 word4 word5", said


def answers_whole(place) -> None:
    said = ask(place, "Please say 3 words", "--no-stream")
    assert said == "word1 word2 word3", said


def calls_a_tool(place) -> None:
    said = ask(place, 'call get_weather with {"city":"Bern"}', "--functions", TOOL)
    assert "seven degrees in Bern" in said, said


def fills_a_schema(place) -> None:
    said = ask(place, "Good morning", "--schema", "city, degrees int", "--no-stream")
    assert '"city"' in said and '"degrees"' in said, said


CASES = [streams, answers_whole, calls_a_tool, fills_a_schema]
