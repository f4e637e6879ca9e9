"""The same tool as everybody would write it with the Python SDK: what a client compares us with."""

from mcp.server import MCPServer

server = MCPServer("echo")


@server.tool()
def echo(text: str) -> str:
    """Gives a text back."""
    return text


server.run()
