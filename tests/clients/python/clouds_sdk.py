"""The SDKs' clients for clouds: they wrap what they ask, and call at the clouds' own paths."""
import anthropic
import openai
from google import genai
from google.genai import types

from anthropic_sdk import Anthropic
from google_sdk import Google
from openai_sdk import OpenAI

# What the clouds' own hosts do not have, and these clients therefore do not ask for.
NOT_ON_BEDROCK = {"models", "count", "message-batches"}
NOT_ON_VERTEX = {"models", "message-batches"}


class AzureOpenAI(OpenAI):
    name = "azure-openai"
    # These have no path of Azure's here.
    without = frozenset({"files", "batches"})

    def __init__(self, root: str, key: str, seconds: float):
        self.client = openai.AzureOpenAI(
            azure_endpoint=root, api_version="2024-10-21", api_key=key, max_retries=0,
            timeout=seconds)


class AnthropicVertex(Anthropic):
    name = "anthropic-vertex"
    features = Anthropic.features - NOT_ON_VERTEX

    def __init__(self, root: str, key: str, seconds: float):
        self.client = anthropic.AnthropicVertex(
            base_url=f"{root}/v1", region="us-east5", project_id="anybody", access_token=key,
            max_retries=0, timeout=seconds)


class AnthropicBedrock(Anthropic):
    name = "anthropic-bedrock"
    features = Anthropic.features - NOT_ON_BEDROCK

    def __init__(self, root: str, key: str, seconds: float):
        self.client = anthropic.AnthropicBedrock(
            base_url=root, aws_region="eu-west-1", api_key=key, max_retries=0, timeout=seconds)


class GoogleVertex(Google):
    features = Google.features - NOT_ON_VERTEX

    def __init__(self, root: str, key: str, seconds: float):
        self.client = genai.Client(api_key=key, vertexai=True, http_options=types.HttpOptions(
            base_url=root, timeout=int(seconds * 1000),
            retry_options=types.HttpRetryOptions(attempts=1)))
