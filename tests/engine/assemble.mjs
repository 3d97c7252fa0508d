// Assembles every .wat of one folder into another: node assemble.mjs FROM TO
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [from, to] = process.argv.slice(2);
const require = createRequire(resolve("build/node/package.json"));
const wabt = await require("wabt")();
for (const name of readdirSync(from).filter((n) => n.endsWith(".wat"))) {
    const module = wabt.parseWat(name, readFileSync(join(from, name), "utf8"), { bulk_memory: true });
    writeFileSync(join(to, name.replace(/wat$/, "wasm")), module.toBinary({ write_debug_names: name === "names.wat" }).buffer);
    module.destroy();
}
