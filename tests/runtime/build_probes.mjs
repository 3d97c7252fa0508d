// Builds probe widgets: a JSON file with a list of jobs in (second argument, after
// the folder node_modules), a JSON list of answers out.
// A job is {wat, wit, world, layout, out}: WebAssembly text (core or component), the folder with the WIT files,
// the world, "core" (the module as it is), "embedded" (with the type section), "239" or "259" (wit-component's
// version, so the wrapper's layout) and the file to write. An answer is {ok} or {error}.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const modules = process.argv[2];
const load = async (path) => import(pathToFileURL(path).href);
const older = await load(join(modules, "@bytecodealliance/jco/src/api.js"));
// The newer jco's entry point wants a native parser that isn't installed; its wasm-tools alone need none.
const loadNewer = async () => {
  const require = createRequire(join(modules, "jco-next/package.json"));
  return load(require.resolve("@bytecodealliance/jco-transpile/wasm-tools"));
};
let newer = null;
const answers = [];
for (const job of JSON.parse(readFileSync(process.argv[3], "utf8"))) {
  try {
    let binary = await older.parse(job.wat);
    if (job.layout !== "core" && job.layout !== "component") {
      binary = await older.componentEmbed({ binary, witPath: job.wit, world: job.world });
      if (job.layout === "239") binary = await older.componentNew(binary, []);
      if (job.layout === "259") {
        newer ??= await loadNewer();
        binary = await newer.componentNew(binary, []);
      }
    }
    writeFileSync(job.out, binary);
    answers.push({ ok: true });
  } catch (error) {
    answers.push({ error: String(error.payload ?? error.message ?? error) });
  }
}
process.stdout.write(JSON.stringify(answers));
