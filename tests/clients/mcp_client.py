"""The Python SDK as a client.

python mcp_client.py '{"mode", "revision", "world", "url" | "command"}'
"""

import asyncio
import json
import sys

from checks import Checks
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import ElicitResult

task = json.loads(sys.argv[1])


def dump(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


class Adapter:
    def __init__(self):
        self.asked, self.answer = [], ("cancel", None)
        command = task.get("command")
        server = task.get("url") or StdioServerParameters(command=command[0], args=command[1:])
        self.client = Client(server, mode=task["mode"], elicitation_callback=self.person)

    async def person(self, _context, params):
        self.asked.append(params.message)
        action, content = self.answer
        return ElicitResult(action=action, content=content)

    def revision(self):
        return self.client.protocol_version

    async def tools(self):
        return [dump(tool) for tool in (await self.client.list_tools()).tools]

    async def call(self, name, arguments, progress=None):
        return dump(await self.client.call_tool(name, arguments, progress_callback=progress))

    async def read(self, uri):
        return dump(await self.client.read_resource(uri))

    async def close(self):
        await self.client.__aexit__(None, None, None)


async def main():
    adapter = Adapter()
    await adapter.client.__aenter__()
    await Checks(adapter, MCPError, task["world"], task["revision"]).report()


asyncio.run(main())
