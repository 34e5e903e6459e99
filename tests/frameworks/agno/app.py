"""Run an agent with a tool, stream another run of it, and run one whose model fails."""

from agno.agent import Agent
from agno.models.openai import OpenAIChat


def get_weather(city: str) -> str:
    """Say how the weather is in a city."""
    return f"sunny in {city}"


def agent(name: str, model: str) -> Agent:
    return Agent(name=name, model=OpenAIChat(id=model, max_retries=0), tools=[get_weather], telemetry=False)


guide = agent("guide", "gpt-4o-mini")
print(guide.run("How is the weather in Lisbon?").content)
for event in guide.run("How is the weather in Oslo?", stream=True):
    print(event.content or "", end="")
print(agent("unlucky", "gpt-4o-mini-fail400").run("How is the weather in Kyoto?").status)
