"""Answer questions about the weather with LangGraph, instrumented by OpenInference: a model, its tools, and a loop."""

from __future__ import annotations

import logging
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

import spyglass
from spyglass.demo.fleet.visits import Visits

CITIES = ("Lisbon", "Oslo", "Kyoto", "Quito")
log = logging.getLogger("weather_map")


@tool
def temperature(city: str) -> str:
    """Say how warm it is in a city."""
    return f"{len(city) * 4} degrees in {city}"


@tool
def wind(city: str) -> str:
    """Say how windy it is in a city."""
    return f"{len(city)} metres per second in {city}"


def build() -> Any:
    """Return the graph: the model speaks, its tools run, until it calls no more of them."""
    model = ChatOpenAI(model="gpt-4o", max_retries=0).bind_tools([temperature, wind])

    def speak(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("speak", speak)
    graph.add_node("tools", ToolNode([temperature, wind]))
    graph.add_edge(START, "speak")
    graph.add_conditional_edges("speak", tools_condition)
    graph.add_edge("tools", "speak")
    return graph.compile(name="weather map")


def main(visits: Visits) -> None:
    """Answer one question per visit."""
    spyglass.init(service="weather-map", project="newsroom")
    graph = build()
    for visit in visits:
        city = CITIES[visit.number % len(CITIES)]
        with visit, spyglass.session(user=visit.user, session=visit.session), spyglass.agent("weather map"):
            state = graph.invoke({"messages": [HumanMessage(f"How is the weather in {city}?")]})
            log.info("%s: %s", city, state["messages"][-1].content)
    spyglass.shutdown()
