// A widget in AssemblyScript: the canonical ABI of widget:widget/widget by hand. The compiler's stub runtime never
// frees, which suits an instance that runs once.

@external("widget:widget/clocks", "now")
declare function now(result: usize): void;

/** A string as the host takes it: a pointer to {pointer, length} of its UTF-8. */
function lower(text: string): usize {
  const bytes = String.UTF8.encode(text);
  const pair = heap.alloc(8);
  store<u32>(pair, changetype<usize>(bytes), 0);
  store<u32>(pair, bytes.byteLength, 4);
  return pair;
}

export function get_name(): usize {
  return lower("Hello from AssemblyScript");
}

export function get_version(): usize {
  return lower("0.1.0");
}

export function get_config_schema(): usize {
  return lower('{"title":"Hello from AssemblyScript","type":"object","properties":{}}');
}

export function get_run_update_cycle_seconds(): u32 {
  return 60;
}

export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  const block = heap.alloc(size); // aligned to 16
  if (oldSize > 0) memory.copy(block, old, oldSize < size ? oldSize : size);
  return block;
}

export function run(seconds: u64, nanoseconds: u32, config: usize, configLength: usize): usize {
  const datetime = heap.alloc(16);
  now(datetime);
  const text = String.UTF8.decodeUnsafe(config, configLength);
  return lower(`Hello from AssemblyScript\nUnix time ${load<u64>(datetime)}\nConfiguration ${text}`);
}
