// Runs binaryen's wasm-opt once for each line of stdin, a JSON list of its arguments, in one process.
// wasm-opt is a large WebAssembly module itself: compiling it takes ten times as long as what it does here.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import vm from "node:vm";

const [path] = process.argv.slice(2);
const names = ["Module", "require", "__dirname", "__filename", "module"];
const program = vm.compileFunction(readFileSync(path, "utf8").replace(/^#!.*/, ""), names, { filename: path });
const require = createRequire(path);
let compiled;

const instantiate = WebAssembly.instantiate;
WebAssembly.instantiate = async (bytes, imports) => {
    compiled = await WebAssembly.compile(bytes);
    return { module: compiled, instance: await instantiate(compiled, imports) };
};

function run(args) {
    return new Promise((resolve, reject) => {
        const module = {
            arguments: args,
            thisProgram: path,
            postRun: () => resolve(process.exitCode ?? 0),
            onAbort: reject,
            printErr: (line) => process.stderr.write(line + "\n"),
        };
        if (compiled) {
            module.instantiateWasm = (imports, receive) => {
                instantiate(compiled, imports).then(receive, reject);
                return {};
            };
        }
        program(module, require, "", path, {});
    });
}

for await (const line of createInterface({ input: process.stdin })) {
    const status = await run(JSON.parse(line));
    process.stdout.write(status + "\n");
}
process.exit(0); // wasm-opt sets the exit code that it had last
