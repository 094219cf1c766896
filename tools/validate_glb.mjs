// Checks .glb files with the Khronos glTF validator: one line a file, exit code 1 if any has an issue.
// Usage: node tools/validate_glb.mjs FILE.glb...      (make glb-validator fetches it)
// The module is looked for beside this repository's own files, or in the folder that GLTF_VALIDATOR names.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const home = process.env.GLTF_VALIDATOR ?? fileURLToPath(new URL('..', import.meta.url));
const { validateBytes, version } = createRequire(path.join(path.resolve(home), 'x.js'))('gltf-validator');

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node tools/validate_glb.mjs FILE.glb...');
  process.exit(2);
}
let clean = true;
for (const file of files) {
  const report = await validateBytes(new Uint8Array(await readFile(file)), { uri: file, maxIssues: 50 });
  const { numErrors, numWarnings, numInfos, numHints, messages } = report.issues;
  console.log(`${file}: ${numErrors} errors, ${numWarnings} warnings, ${numInfos} infos, ${numHints} hints (validator ${version()})`);
  for (const { code, message, pointer } of messages) console.log(`  ${code} ${pointer ?? ''}: ${message}`);
  clean &&= numErrors + numWarnings === 0;
}
process.exit(clean ? 0 : 1);
