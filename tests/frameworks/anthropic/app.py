"""Ask Claude with a tool, and as a stream; one call fails."""

from anthropic import Anthropic, BadRequestError

MODEL = "claude-haiku-4-5"
WEATHER = {
    "name": "get_weather",
    "description": "Say how the weather is in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def get_weather(city: str) -> str:
    return f"sunny in {city}"


client = Anthropic(max_retries=0)
messages = [{"role": "user", "content": "How is the weather in Lisbon?"}]
asked = client.messages.create(model=MODEL, max_tokens=200, messages=messages, tools=[WEATHER])
results = [
    {"type": "tool_result", "tool_use_id": block.id, "content": get_weather(**block.input)}
    for block in asked.content
    if block.type == "tool_use"
]
messages += [{"role": "assistant", "content": asked.content}, {"role": "user", "content": results}]
print(client.messages.create(model=MODEL, max_tokens=200, messages=messages, tools=[WEATHER]).content[0].text)

with client.messages.stream(model=MODEL, max_tokens=200, messages=messages) as stream:
    for text in stream.text_stream:
        print(text, end="")
try:
    client.messages.create(model="claude-haiku-4-5-fail400", max_tokens=200, messages=messages)
except BadRequestError as error:
    print(error)
