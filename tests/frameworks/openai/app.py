"""Ask OpenAI with a tool, as a stream with and without usage, as a response, and for vectors; one call fails."""

import json

from openai import BadRequestError, OpenAI

MODEL = "gpt-4o-mini"
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


client = OpenAI(max_retries=0)
messages = [{"role": "user", "content": "How is the weather in Lisbon?"}]
asked = client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER]).choices[0].message
messages.append(asked)
for call in asked.tool_calls:
    said = get_weather(**json.loads(call.function.arguments))
    messages.append({"role": "tool", "tool_call_id": call.id, "content": said})
print(client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER]).choices[0].message.content)

for options in {"stream_options": {"include_usage": True}}, {}:
    for chunk in client.chat.completions.create(model=MODEL, messages=messages, stream=True, **options):
        for choice in chunk.choices:
            print(choice.delta.content or "", end="")
print(client.responses.create(model="gpt-5-mini", input="What causes tides?").output_text)
with client.responses.stream(model="gpt-5-mini", input="What causes waves?") as stream:
    print(stream.get_final_response().output_text)
print(len(client.embeddings.create(model="text-embedding-3-small", input=["tides", "waves"]).data))
try:
    client.chat.completions.create(model="gpt-4o-mini-fail400", messages=messages)
except BadRequestError as error:
    print(error)
