#!/usr/bin/env node
// The pinned Solidity compiler of package.json in the shape that forge calls: `--version` and `--standard-json`.
"use strict";

const { readFileSync, writeSync } = require("node:fs");
const soljson = require("solc/soljson.js");

function print(text) {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length;) {
        try {
            written += writeSync(1, bytes, written);
        } catch (error) {
            if (error.code !== "EAGAIN") throw error;
        }
    }
}

if (process.argv.includes("--version")) {
    const version = soljson.cwrap("solidity_version", "string", [])();
    print(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else if (process.argv.includes("--standard-json")) {
    const compile = soljson.cwrap("solidity_compile", "string", ["string", "number", "number"]);
    print(compile(readFileSync(0, "utf8"), 0, 0));
} else {
    process.stderr.write("solc.js: only --version and --standard-json\n");
    process.exitCode = 1;
}
