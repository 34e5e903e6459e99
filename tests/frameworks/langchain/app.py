"""Run a LangChain agent with a tool, stream another run of it, and run one whose model fails."""

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai import BadRequestError


@tool
def get_weather(city: str) -> str:
    """Say how the weather is in a city."""
    return f"sunny in {city}"


def question(city: str) -> dict:
    return {"messages": [{"role": "user", "content": f"How is the weather in {city}?"}]}


model = ChatOpenAI(model="gpt-4o-mini", max_retries=0, stream_usage=True)
guide = create_agent(model, [get_weather], system_prompt="Help.", name="guide")
print(guide.invoke(question("Lisbon"))["messages"][-1].content)

for chunk, _ in guide.stream(question("Oslo"), stream_mode="messages"):
    print(chunk.content, end="")
unlucky = create_agent(ChatOpenAI(model="gpt-4o-mini-fail400", max_retries=0), [get_weather], name="unlucky")
try:
    unlucky.invoke(question("Kyoto"))
except BadRequestError as error:
    print(error)
