"""Ask Gemini, as a stream too, and let it call a function by itself; one call fails."""

from google import genai
from google.genai import errors, types

MODEL = "gemini-2.5-flash"


def get_weather(city: str) -> str:
    """Say how the weather is in a city."""
    return f"sunny in {city}"


client = genai.Client()
print(client.models.generate_content(model=MODEL, contents="What causes tides?").text)
for chunk in client.models.generate_content_stream(model=MODEL, contents="What causes waves?"):
    print(chunk.text, end="")
tools = types.GenerateContentConfig(tools=[get_weather])
print(client.models.generate_content(model=MODEL, contents="How is the weather in Lisbon?", config=tools).text)
try:
    client.models.generate_content(model="gemini-2.5-flash-fail400", contents="What causes tides?")
except errors.ClientError as error:
    print(error)
