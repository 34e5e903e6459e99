"""Run an agent with a tool, stream another run of it, and run one whose model fails."""

from smolagents import AgentError, OpenAIModel, ToolCallingAgent, tool


@tool
def get_weather(city: str) -> str:
    """Say how the weather is in a city.

    Args:
        city: Its name.
    """
    return f"sunny in {city}"


def model(name: str) -> OpenAIModel:
    return OpenAIModel(name, client_kwargs={"max_retries": 0}, retry=False)


guide = ToolCallingAgent(tools=[get_weather], model=model("gpt-4o-mini"), name="guide", description="Helps.")
print(guide.run("How is the weather in Lisbon?"))
talker = ToolCallingAgent(tools=[get_weather], model=model("gpt-4o-mini"), stream_outputs=True, name="talker")
print(list(talker.run("How is the weather in Oslo?", stream=True))[-1].output)
unlucky = ToolCallingAgent(tools=[], model=model("gpt-4o-mini-fail400"), name="unlucky")
try:
    unlucky.run("How is the weather in Kyoto?")
except AgentError as error:
    print(error)
