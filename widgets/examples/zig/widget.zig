//! A widget in Zig: the canonical ABI of widget:widget/widget by hand, without a library.
//! One run an instance, so memory is a fixed buffer that is never freed.

const Datetime = extern struct { seconds: u64, nanoseconds: u32 };
const Slice = extern struct { ptr: [*]const u8, len: usize };

const clocks = struct {
    extern "widget:widget/clocks" fn now(result: *Datetime) void;
};

fn text(comptime literal: []const u8) Slice {
    return .{ .ptr = literal.ptr, .len = literal.len };
}

const name = text("Hello from Zig");
const version = text("0.1.0");
const schema = text("{\"title\":\"Hello from Zig\",\"type\":\"object\",\"properties\":{}}");

export fn @"get-name"() *const Slice {
    return &name;
}
export fn @"get-version"() *const Slice {
    return &version;
}
export fn @"get-config-schema"() *const Slice {
    return &schema;
}
export fn @"get-run-update-cycle-seconds"() u32 {
    return 60;
}

var heap: [8192]u8 align(8) = undefined;
var used: usize = 0;

export fn cabi_realloc(_: ?[*]u8, _: usize, alignment: usize, size: usize) [*]u8 {
    const start = (used + alignment - 1) & ~(alignment - 1);
    if (start > heap.len or size > heap.len - start) @trap();
    used = start + size;
    return heap[start..].ptr;
}

var out: [1024]u8 = undefined;
var out_len: usize = 0;
var result: Slice = undefined;

fn put(bytes: []const u8) void {
    for (bytes) |byte| {
        if (out_len == out.len) return;
        out[out_len] = byte;
        out_len += 1;
    }
}

fn putNumber(value: u64) void {
    var digits: [20]u8 = undefined;
    var at: usize = digits.len;
    var rest = value;
    while (true) {
        at -= 1;
        digits[at] = @intCast('0' + rest % 10);
        rest /= 10;
        if (rest == 0) break;
    }
    put(digits[at..]);
}

export fn run(_: u64, _: u32, config: [*]const u8, config_len: usize) *const Slice {
    var now: Datetime = undefined;
    clocks.now(&now);
    out_len = 0;
    put("Hello from Zig\nUnix time ");
    putNumber(now.seconds);
    if (config_len <= 512) {
        put("\nConfiguration ");
        put(config[0..config_len]);
    }
    result = .{ .ptr = &out, .len = out_len };
    return &result;
}

export fn cabi_post_run(_: *const Slice) void {
    used = 0;
}
