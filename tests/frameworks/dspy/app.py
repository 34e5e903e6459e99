"""Run a program with answers of a fixed form, one that chooses a tool, and one whose model fails."""

import dspy
from dspy.utils.exceptions import LMInvalidRequestError


class Choose(dspy.Signature):
    """Choose what to look up."""

    question: str = dspy.InputField()
    tools: list[dspy.Tool] = dspy.InputField()
    chosen: dspy.ToolCalls = dspy.OutputField()


def get_weather(city: str) -> str:
    """Say how the weather is in a city."""
    return f"sunny in {city}"


def model(name: str) -> dspy.LM:
    return dspy.LM(name, cache=False, num_retries=0)


dspy.configure(lm=model("openai/gpt-4o-mini"), adapter=dspy.JSONAdapter())
print(dspy.Predict("question -> answer")(question="What causes tides?").answer)
print(dspy.ChainOfThought("question -> answer, sure: bool")(question="What causes waves?").answer)

weather = dspy.Tool(get_weather)
with dspy.context(adapter=dspy.ChatAdapter(use_native_function_calling=True)):
    asked = dspy.Predict(Choose)(question="How is the weather in Lisbon?", tools=[weather])
for call in asked.chosen.tool_calls:
    print(weather(**call.args))

with dspy.context(lm=model("openai/gpt-4o-mini-fail400")):
    try:
        dspy.Predict("question -> answer")(question="What causes rain?")
    except LMInvalidRequestError as error:
        print(error)
