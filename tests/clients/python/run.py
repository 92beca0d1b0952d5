#!/usr/bin/env python3
"""Runs the table of cases with the SDKs of this interpreter and writes one JSON line per case.

    run.py --config TARGETS.json --out RESULTS.jsonl [SDK …]

TARGETS.json says where to call and with which key; tests/clients/run writes it.
"""
import argparse
import importlib
import json
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cases import CASES, Bench
from operations import OWN_DIALECT_ONLY

# SDK -> module, class, and the dialect it speaks. A provider of that dialect is the same-dialect lane.
SDKS = {
    "openai": ("openai_sdk", "OpenAI", "openai-chat"),
    "openai-responses": ("openai_responses", "OpenAIResponses", "openai-responses"),
    "anthropic": ("anthropic_sdk", "Anthropic", "anthropic-messages"),
    "google-genai": ("google_sdk", "Google", "gemini-generate"),
    "azure-openai": ("clouds_sdk", "AzureOpenAI", "openai-chat"),
    "anthropic-vertex": ("clouds_sdk", "AnthropicVertex", "anthropic-messages"),
    "anthropic-bedrock": ("clouds_sdk", "AnthropicBedrock", "anthropic-messages"),
    "google-vertex": ("clouds_sdk", "GoogleVertex", "gemini-generate"),
    "bedrock": ("bedrock_sdk", "Bedrock", "bedrock-converse"),
    "langchain-openai": ("langchain_sdk", "LangChainOpenAI", "openai-chat"),
    "langchain-anthropic": ("langchain_sdk", "LangChainAnthropic", "anthropic-messages"),
}
# Longer than any fault of the table may last; an SDK that waits this long has found a hang.
SDK_SECONDS = 15.0


def main() -> int:
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("--config", type=Path, required=True)
    wanted.add_argument("--out", type=Path, required=True)
    wanted.add_argument("--only", default="", help="run cases whose name holds this")
    wanted.add_argument("sdks", nargs="+", choices=SDKS)
    options = wanted.parse_args()
    targets = json.loads(options.config.read_text())
    jobs = [job for sdk in options.sdks for job in jobs_of(sdk, targets) if options.only in job[0]]
    with ThreadPoolExecutor(max_workers=8) as pool, options.out.open("w") as out:
        for row in pool.map(run, jobs):
            out.write(json.dumps(row) + "\n")
    return 0


def jobs_of(sdk: str, targets: dict):
    module, kind, own_dialect = SDKS[sdk]
    kind = getattr(importlib.import_module(module), kind)
    straight = targets["straight"]
    for provider in targets["providers"]:
        if straight and provider["dialect"] != own_dialect:
            continue

        def another(key: str):
            return kind(targets["root"], key, SDK_SECONDS)

        signs = "access_" if sdk == "bedrock" else ""
        key, limited_key = targets[signs + "key"], targets.get(f"limited_{signs}key", "")
        bench = Bench(adapter=another(key), prefix=provider["prefix"],
                      model=provider["model"], dialect=provider["dialect"],
                      embedding_model=provider.get("embedding_model"), another=another,
                      limited_key=limited_key)
        for case in CASES:
            if case.needs and case.needs not in bench.adapter.features:
                continue
            if case.needs in provider.get("without", []):
                continue
            if case.needs == "embeddings" and not bench.embedding_model:
                continue
            if case.name in getattr(bench.adapter, "without", ()):
                continue
            if case.needs in OWN_DIALECT_ONLY and provider["dialect"] != own_dialect:
                continue
            if straight and not case.straight:
                continue
            for mode in case.modes:
                way = "straight" if straight else f"to {provider['dialect']}"
                name = f"python {sdk} {kind.version} {way}: {case.name} {mode}"
                yield name, case, bench, mode


def run(job) -> dict:
    name, case, bench, mode = job
    began = time.monotonic()
    row = {"name": name, "status": "passed"}
    try:
        case.check(bench, mode == "streamed")
    except AssertionError as wrong:
        row |= {"status": "failed", "why": str(wrong) or traceback.format_exc(limit=-2)}
    except Exception as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        row |= {"status": "failed", "why": f"{type(error).__name__}: {error!s:.400} ({at.name})"}
    row["seconds"] = round(time.monotonic() - began, 3)
    return row


sys.exit(main())
