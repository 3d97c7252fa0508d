"""Interface `widget:widget/http`."""

from ..abi import discriminant, release, u32, u64


async def request(run, arguments, realloc):
    """request: func(method, url: string, body: option<list<u8>>) -> result<response>.

    Core: (method, url ptr, len, body discriminant, body ptr, len, retptr) -> (). The result, 40 bytes, align 8:
    discriminant u8 @0; status u16 @8; content-length discriminant u8 @16, u64 @24; bytes ptr @32, len @36. Bytes that
    carry nothing are left as they are. The host's failure to get an answer is `err`, not a trap.
    """
    method, url, url_size, has_body, body, body_size, retptr = arguments
    memory = run.memory
    limits = run.limits
    method = discriminant(method, 5, "HTTP method")
    url_text = memory.read_string(url, url_size, limits.HTTP_URL_BYTES, "address")
    data = content = None
    try:
        if discriminant(has_body, 2, "HTTP body"):
            data = memory.read_buffer(body, body_size, limits.HTTP_BODY_BYTES, "HTTP body")
        run.spend("HTTP_REQUESTS", 1, "HTTP requests")
        if data:
            run.spend("HTTP_TOTAL_BYTES", len(data), "bytes of HTTP")
        try:
            status, length, content = await run.outside(run.host.http(run.name, method, url_text, data))
        except OSError:
            memory.check(retptr, 40, 8, "the response")
            memory.write(retptr, b"\x01")
            return
        if len(content) > limits.HTTP_BODY_BYTES:
            memory.check(retptr, 40, 8, "the response")
            memory.write(retptr, b"\x01")
            return
        run.spend("HTTP_TOTAL_BYTES", len(content), "bytes of HTTP")
        memory.check(retptr, 40, 8, "the response")
        # Field by field, as the reference does: the allocator runs between the content length and the bytes.
        memory.write(retptr, b"\x00")
        memory.write(retptr + 8, bytes((status & 0xFF, status >> 8 & 0xFF)))
        if length is None:
            memory.write(retptr + 16, b"\x00")
        else:
            memory.write(retptr + 16, b"\x01")
            memory.write(retptr + 24, u64(length))
        pointer = await run.lower(content, realloc)
        memory.write(retptr + 32, u32(pointer) + u32(len(content)))
    finally:
        release(data)
        release(content)
