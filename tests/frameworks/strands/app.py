"""Run an agent with a tool twice (Strands always streams), and one whose model fails."""

from openai import BadRequestError
from strands import Agent, tool
from strands.models.openai import OpenAIModel


@tool
def get_weather(city: str) -> str:
    """Say how the weather is in a city."""
    return f"sunny in {city}"


def agent(name: str, model: str) -> Agent:
    return Agent(
        name=name,
        model=OpenAIModel(model_id=model, client_args={"max_retries": 0}),
        tools=[get_weather],
        callback_handler=None,
    )


guide = agent("guide", "gpt-4o-mini")
print(guide("How is the weather in Lisbon?"))
print(guide("How is the weather in Oslo?"))
try:
    agent("unlucky", "gpt-4o-mini-fail400")("How is the weather in Kyoto?")
except BadRequestError as error:
    print(error)
