# Reads [url, start, etag], downloads the file from there on, and prints [status, bytes received, size expected, whether
# the sink was told to start again, the response's ETag], or what was said.
import asyncio
import json
import sys

from wgdisplay.net import http


class Sink:
    def __init__(self):
        self.data = b""
        self.size = None
        self.restarted = False
        self.etag = None

    def restart(self):
        self.restarted = True

    def begin(self, response):
        self.etag = response.headers.get("etag")

    def expect(self, size):
        self.size = size

    def write(self, piece):
        self.data += piece


async def main():
    url, start, etag = json.loads(sys.stdin.readline())
    sink = Sink()
    try:
        r = await http.download(url, sink, max_bytes=1000, deadline_ms=3000, start=start, etag=etag)
        return [r.status, sink.data.decode(), sink.size, sink.restarted, sink.etag]
    except http.LostError as error:
        return "lost: " + str(error)
    except http.HttpError as error:
        return str(error)


print(json.dumps(asyncio.run(main())))
