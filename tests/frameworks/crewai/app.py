"""Let a crew of two agents work, one with a tool and one whose answer is a stream; one more call fails."""

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
from openai import BadRequestError


@tool("get_weather")
def get_weather(city: str) -> str:
    """Say how the weather is in a city."""
    return f"sunny in {city}"


def agent(role: str, model: str, *, stream: bool = False, tools: list | None = None) -> Agent:
    llm = LLM(model=model, stream=stream, max_retries=0)
    return Agent(role=role, goal="Help.", backstory="An old hand.", llm=llm, tools=tools or [], max_retry_limit=0)


def task(description: str, worker: Agent) -> Task:
    return Task(description=description, expected_output="a sentence", agent=worker)


guide = agent("guide", "openai/gpt-4o-mini", tools=[get_weather])
poet = agent("poet", "openai/gpt-4o-mini", stream=True)
tasks = [task("Find out how the weather is in Lisbon.", guide), task("Write of it.", poet)]
print(Crew(name="travel", agents=[guide, poet], tasks=tasks).kickoff())

unlucky = agent("unlucky", "openai/gpt-4o-mini-fail400")
try:
    Crew(name="unlucky", agents=[unlucky], tasks=[task("Say anything.", unlucky)]).kickoff()
except BadRequestError as error:
    print(error)
