"""Run a graph of two nodes, a model and its tools, as a whole and as a stream; one more call fails."""

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from openai import BadRequestError


@tool
def get_weather(city: str) -> str:
    """Say how the weather is in a city."""
    return f"sunny in {city}"


def think(state: MessagesState) -> dict:
    return {"messages": [model.invoke(state["messages"])]}


def next_node(state: MessagesState) -> str:
    return "tools" if state["messages"][-1].tool_calls else END


def question(city: str) -> dict:
    return {"messages": [{"role": "user", "content": f"How is the weather in {city}?"}]}


model = ChatOpenAI(model="gpt-4o-mini", max_retries=0, stream_usage=True).bind_tools([get_weather])
builder = StateGraph(MessagesState)
builder.add_node("think", think)
builder.add_node("tools", ToolNode([get_weather]))
builder.add_edge(START, "think")
builder.add_conditional_edges("think", next_node)
builder.add_edge("tools", "think")
graph = builder.compile(name="weather")

print(graph.invoke(question("Lisbon"))["messages"][-1].content)
for chunk, _ in graph.stream(question("Oslo"), stream_mode="messages"):
    print(chunk.content, end="")
try:
    ChatOpenAI(model="gpt-4o-mini-fail400", max_retries=0).invoke("How is the weather in Kyoto?")
except BadRequestError as error:
    print(error)
