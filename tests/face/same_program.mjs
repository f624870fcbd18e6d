// Whether two scripts are one program for TypeScript: node same_program.mjs TYPESCRIPT ONE OTHER
import fs from "node:fs";
import { createRequire } from "node:module";

const [, , typescript, ...files] = process.argv;
const ts = createRequire(import.meta.url)(typescript);

function leaves(file) {
  const source = ts.createSourceFile("x.js", fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const found = source.parseDiagnostics.map((problem) => `${problem.messageText}`);
  const walk = (node) => {
    const inner = node.getChildren().filter((child) => !ts.isJSDoc(child));
    found.push(ts.SyntaxKind[node.kind] + (inner.length ? "" : `: ${node.getText()}`));
    inner.forEach(walk);
  };
  walk(source);
  return found;
}

const [one, other] = files.map(leaves);
const at = one.findIndex((leaf, i) => leaf !== other[i]);
if (at >= 0 || one.length !== other.length || one.length < 100) {
  console.log(`they part at ${at} of ${one.length} and ${other.length}: ${one[at]} | ${other[at]}`);
  process.exit(1);
}
