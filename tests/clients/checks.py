"""What every client in Python is put through: the same as in checks.mjs.

A client has `revision`, `tools()`, `call(name, arguments, progress=None)`, `read(uri)` and `close()`; what these give is dumped as it came over the wire.
`asked` is what its person was shown, `answer` what they say to the next question.
"""

import asyncio
import hashlib
import json
import re
import time
import traceback
from pathlib import Path

PATIENCE = 10.0
# A client gives its server two seconds to go by itself.
LEAVE = 1.9


def reading(path):
    """A script for the puppet that reads a file of the host."""
    return json.dumps([{"op": "open", "dir": "/", "path": path[1:], "as": "file"}, {"op": "read", "handle": "file"}])


class Checks:
    def __init__(self, client, error, world, revision):
        self.client, self.error, self.world, self.revision = client, error, Path(world), revision

    async def code(self, call):
        """The code of the JSON-RPC error that a call ends with."""
        try:
            answer = await call
        except self.error as error:
            return error.error.code
        raise AssertionError(f"an answer: {answer}")

    def cancelled(self):
        """Calls that the ledgers have as cancelled at this moment."""
        return sum(len(re.findall(r'"ending":"cancelled"', path.read_text())) for path in (self.world / "ledgers").iterdir())

    async def check_revision(self):
        assert self.client.revision() == self.revision, self.client.revision()

    async def check_list(self):
        tools = await self.client.tools()
        names = [tool["name"] for tool in tools]
        assert names == sorted(names) and {"add-note", "read-note", "perform", "test_simple_text"} <= set(names), names
        assert all(tool["inputSchema"]["type"] == "object" for tool in tools)
        tool = next(tool for tool in tools if tool["name"] == "read-note")
        assert tool["inputSchema"]["required"] == ["path"], tool
        assert tool["outputSchema"]["anyOf"][0]["required"] == ["path", "title", "body", "words", "modified"], tool
        assert tool["annotations"]["openWorldHint"] is False, tool

    async def check_structured(self):
        note = {"title": "Customs", "body": "Nothing to declare.", "tags": ["green"]}
        path = (await self.client.call("add-note", note))["structuredContent"]["result"]
        assert note["body"] in (self.world / "notes" / path.removeprefix("/data/")).read_text()
        answer = await self.client.call("read-note", {"path": path})
        assert answer["structuredContent"]["body"] == "# Customs\n\nNothing to declare.\n\ntags: green\n", answer
        assert answer["structuredContent"]["words"] == 7, answer
        assert json.loads(answer["content"][0]["text"]) == answer["structuredContent"], answer
        self.known = answer

    async def check_tool_error(self):
        answer = await self.client.call("read-note", {"path": "absent"})
        assert answer["isError"] is True and "not-found" in answer["structuredContent"]["error"], answer

    async def check_invalid_arguments(self):
        answer = await self.client.call("read-note", {"path": 1})
        assert answer["isError"] is True and "invalid arguments" in json.dumps(answer["content"]), answer

    async def check_unknown_tool(self):
        assert await self.code(self.client.call("read-notes", {"path": "x"})) == -32602

    async def check_progress(self):
        told = []

        async def progress(done, total, _message):
            told.append((done, total))

        await self.client.call("test_tool_with_progress", {}, progress)
        assert told == [(0, 100), (50, 100), (100, 100)], told

    async def check_cancel(self):
        before = self.cancelled()
        script = json.dumps([{"op": "sleep", "ns": "max"}])
        call = asyncio.create_task(self.client.call("perform", {"script": script}))
        await asyncio.sleep(0.7)
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled(), call
        async with asyncio.timeout(PATIENCE):
            while self.cancelled() == before:
                await asyncio.sleep(0.05)
        # It was the client that ended it, and not the deadline of the call.
        assert "simple text" in json.dumps(await self.client.call("test_simple_text", {}))

    async def asking(self, name, answer):
        path, before = str(self.world / name), len(self.client.asked)
        self.client.answer = answer
        answer = await self.client.call("perform", {"script": reading(path)})
        assert len(self.client.asked) == before + 1 and path in self.client.asked[-1], self.client.asked
        return answer

    async def check_accept(self):
        answer = await self.asking("granted", ("accept", {"grant": "once"}))
        assert "the granted file" in json.dumps(answer["content"]), answer
        assert answer["_meta"]["dev.customs/granted"] == "once", answer

    async def check_decline(self):
        answer = await self.asking("withheld", ("decline", None))
        text = json.dumps(answer)
        assert "the withheld file" not in text and "--allow" not in text, text
        assert "dev.customs/granted" not in answer["_meta"] and answer["_meta"]["dev.customs/denials"], text

    async def check_provenance(self):
        evidence = self.known["_meta"]["io.modelcontextprotocol/trust-annotations"]["evidenceRef"]
        record = (await self.client.read(evidence["ref"]))["contents"][0]["text"]
        assert "sha256:" + hashlib.sha256(record.encode()).hexdigest() == evidence["digest"], evidence
        assert json.loads(record)["tool"] == "read-note", record
        absent = -32002 if self.revision < "2026-07-28" else -32602
        assert await self.code(self.client.read("prov://run/0")) == absent

    async def check_leave(self):
        at = time.monotonic()
        await self.client.close()
        took = time.monotonic() - at
        assert took < LEAVE, took

    async def report(self):
        """Runs them, each told in a line. One that fails does not keep the others from running."""
        for name, check in type(self).__dict__.items():
            if name.startswith("check_"):
                await report(name.removeprefix("check_").replace("_", " "), check(self))


async def report(name, check):
    why = None
    try:
        async with asyncio.timeout(60):
            await check
    except Exception:
        why = traceback.format_exc()
    print(json.dumps({"check": name, "ok": why is None, "why": why}), flush=True)
