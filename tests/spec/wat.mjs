// Text modules to binary ones, by wabt. Standard input: a JSON list of texts, a character for each byte; standard output: a JSON list
// of the same length with base64 of the binary module, or null where wabt refuses the text. Nothing is
// validated here. Run as: node wat.mjs FOLDER_OF_NODE_MODULES
import { createRequire } from "node:module";
import { readFileSync, writeSync } from "node:fs";

const require = createRequire(`${process.argv[2]}/x.js`);
const wabt = await require("wabt")();
const features = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  threads: true,
  function_references: true,
  multi_value: true,
  tail_call: true,
  bulk_memory: true,
  reference_types: true,
  memory64: true,
  extended_const: true,
};

function convert(text) {
  let module;
  try {
    module = wabt.parseWat("spec.wat", text, features);
    const { buffer } = module.toBinary({ canonicalize_lebs: true });
    return Buffer.from(buffer).toString("base64");
  } catch {
    return null;
  } finally {
    module?.destroy();
  }
}

const answer = Buffer.from(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(convert)));
for (let at = 0; at < answer.length;) at += writeSync(1, answer, at);
