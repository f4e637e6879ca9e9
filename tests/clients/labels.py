"""Microsoft's agent-framework as a client: the label on an answer arrives where a host that keeps labels looks for it.

python labels.py '{"mode", "revision", "world", "url" | "command"}'
"""

import asyncio
import json
import logging
import sys
import warnings

warnings.simplefilter("ignore")

from agent_framework import MCPStdioTool, MCPStreamableHTTPTool
from agent_framework.security import ConfidentialityLabel, IntegrityLabel, apply_mcp_security_labels
from checks import report

logging.disable(logging.WARNING)
task = json.loads(sys.argv[1])


def connection():
    if "url" in task:
        return MCPStreamableHTTPTool(name="customs", url=task["url"], load_prompts=False)
    command = task["command"]
    return MCPStdioTool(name="customs", command=command[0], args=command[1:], load_prompts=False)


async def label(mcp, name, arguments):
    function = next(function for function in mcp.functions if function.name == name)
    content = (await function.invoke(arguments=arguments))[0]
    return content.additional_properties


async def check_list(mcp):
    names = {function.name for function in mcp.functions}
    assert {"add-note", "read-note", "perform", "test_simple_text"} <= names, names


async def check_label(mcp):
    public = await label(mcp, "test_simple_text", {})
    assert public["_meta"]["ifc"] == {"integrity": "untrusted", "confidentiality": "public"}, public
    await label(mcp, "add-note", {"title": "label", "body": "private", "tags": []})
    private = await label(mcp, "read-note", {"path": "/data/label.md"})
    assert private["_meta"]["ifc"] == {"integrity": "untrusted", "confidentiality": "private"}, private


async def check_label_trusted(mcp):
    """What it makes of them, where it is told to believe this server."""
    await apply_mcp_security_labels(mcp, trust_server_ifc=True)
    public = (await label(mcp, "test_simple_text", {}))["security_label"]
    private = (await label(mcp, "read-note", {"path": "/data/label.md"}))["security_label"]
    print(public, private, file=sys.stderr)
    assert public["integrity"] == private["integrity"] == IntegrityLabel.UNTRUSTED.value, (public, private)
    assert public["confidentiality"] == ConfidentialityLabel.PUBLIC.value, public
    assert private["confidentiality"] == ConfidentialityLabel.PRIVATE.value, private


async def main():
    async with connection() as mcp:
        await report("list", check_list(mcp))
        await report("label arrives", check_label(mcp))
        await report("label understood", check_label_trusted(mcp))


asyncio.run(main())
