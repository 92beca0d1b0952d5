#!/usr/bin/env python3
"""Drives the frameworks of this interpreter: each as its users do, with nothing changed but the base
URL, and once for every provider. One JSON line per case.

    run.py --config TARGETS.json --out RESULTS.jsonl MODULE …

A module names its framework (`NAME`) and lists its cases (`CASES`): functions of a `Place` that assert.
"""
import argparse
import importlib
import json
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where a framework is told to call, and for which model."""
    root: str
    key: str
    model: str

    @property
    def openai(self) -> str:
        return f"{self.root}/v1"


def main() -> int:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--config", type=Path, required=True)
    wanted.add_argument("--out", type=Path, required=True)
    wanted.add_argument("--only", default="", help="run cases whose name holds this")
    wanted.add_argument("modules", nargs="+")
    options = wanted.parse_args()
    targets = json.loads(options.config.read_text())
    with options.out.open("w") as out:
        for module in map(importlib.import_module, options.modules):
            for provider in targets["providers"]:
                place = Place(targets["root"], targets["key"], provider["prefix"] + provider["model"])
                for case in module.CASES:
                    name = f"{module.NAME} to {provider['dialect']}: {case.__name__.replace('_', ' ')}"
                    if options.only in name:
                        out.write(json.dumps(run(name, case, place)) + "\n")
                        out.flush()
    return 0


def run(name: str, case, place: Place) -> dict:
    began = time.monotonic()
    row = {"name": name, "status": "passed"}
    try:
        case(place)
    except AssertionError as wrong:
        row |= {"status": "failed", "why": str(wrong) or traceback.format_exc(limit=-2)}
    except Exception as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        row |= {"status": "failed", "why": f"{type(error).__name__}: {error!s:.400} ({at.name})"}
    row["seconds"] = round(time.monotonic() - began, 3)
    return row


if __name__ == "__main__":
    sys.exit(main())
