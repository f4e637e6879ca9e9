"""FastMCP's client.

python fastmcp_client.py '{"mode", "revision", "world", "url" | "command"}'
"""

import asyncio
import json
import sys

from checks import Checks
from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from mcp import MCPError

task = json.loads(sys.argv[1])


def dump(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


class Adapter:
    def __init__(self):
        self.asked, self.answer = [], ("cancel", None)
        command = task.get("command")
        server = StdioTransport(command[0], command[1:], keep_alive=False) if command else StreamableHttpTransport(task["url"])
        self.client = Client(server, mode=task["mode"], elicitation_handler=self.person)

    async def person(self, message, _response_type, _params, _context):
        self.asked.append(message)
        action, content = self.answer
        return ElicitResult(action=action, content=content)

    def revision(self):
        return self.client.protocol_version

    async def tools(self):
        return [dump(tool) for tool in await self.client.list_tools()]

    async def call(self, name, arguments, progress=None):
        return dump(await self.client.call_tool_mcp(name, arguments, progress_handler=progress))

    async def read(self, uri):
        return dump(await self.client.read_resource_mcp(uri))

    async def close(self):
        await self.client.__aexit__(None, None, None)


async def main():
    adapter = Adapter()
    await adapter.client.__aenter__()
    await Checks(adapter, MCPError, task["world"], task["revision"]).report()


asyncio.run(main())
