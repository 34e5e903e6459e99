"""Ask OpenAI and Claude through LiteLLM, one of them as a stream, and for vectors; one call fails."""

import json

import litellm

MODEL = "openai/gpt-4o-mini"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Say how the weather is in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def get_weather(city: str) -> str:
    return f"sunny in {city}"


messages = [{"role": "user", "content": "How is the weather in Lisbon?"}]
asked = litellm.completion(model=MODEL, messages=messages, tools=[WEATHER], num_retries=0).choices[0].message
messages.append(asked.model_dump())
for call in asked.tool_calls:
    said = get_weather(**json.loads(call.function.arguments))
    messages.append({"role": "tool", "tool_call_id": call.id, "content": said})
print(litellm.completion(model=MODEL, messages=messages, tools=[WEATHER]).choices[0].message.content)

question = [{"role": "user", "content": "What causes tides?"}]
print(litellm.completion(model="anthropic/claude-haiku-4-5", messages=question).choices[0].message.content)
options = {"include_usage": True}
for chunk in litellm.completion(model=MODEL, messages=question, stream=True, stream_options=options):
    for choice in chunk.choices:
        print(choice.delta.content or "", end="")
print(len(litellm.embedding(model="openai/text-embedding-3-small", input=["tides", "waves"]).data))
try:
    litellm.completion(model="openai/gpt-4o-mini-fail400", messages=question, num_retries=0, max_retries=0)
except litellm.BadRequestError as error:
    print(error)
