"""Serve one tool over standard input and output."""

from mcp.server import MCPServer

server = MCPServer("weather")


@server.tool()
def get_weather(city: str) -> str:
    """Say how the weather is in a city."""
    return f"sunny in {city}"


server.run(transport="stdio")
