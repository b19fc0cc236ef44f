// YAML to a tree of plain texts, mappings and lists with line numbers.
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from "yaml";
import { Failure } from "../failure.js";

const MAX_BYTES = 1_000_000;
const MAX_DEPTH = 12;

/** @typedef {{kind: "text", content: string, line: number, key: string}} TextNode */
/** @typedef {{kind: "mapping", content: Map<string, Node>, line: number, key: string}} MappingNode */
/** @typedef {{kind: "list", content: Node[], line: number, key: string}} ListNode */
/** @typedef {TextNode | MappingNode | ListNode} Node */

/** Throw a `Failure` that names the line and the key. @returns {never} */
export function fail(node, text) {
  throw new Failure(`Line ${node.line}: ${node.key ? `${node.key}: ` : ""}${text}`);
}

/** @param {string} text @returns {Node} */
export function parseYaml(text) {
  if (new Blob([text]).size > MAX_BYTES) throw new Failure("The score has more than 1,000,000 bytes. Give a score, a short text.");
  const lines = new LineCounter();
  const document = parseDocument(text.replace(/^\uFEFF/, ""), { schema: "failsafe", lineCounter: lines, merge: false });
  const lineOf = (node) => lines.linePos(node?.range?.[0] ?? 0).line;
  // A plain word may begin with @, which YAML reserves and does not use.
  const error = document.errors.find((one) => !(one.code === "BAD_SCALAR_START" && text[one.pos[0]] === "@"));
  if (error) fail({ line: error.linePos?.[0].line ?? 1, key: "" }, explain(error));
  if (!document.contents) throw new Failure("Line 1: the score is empty. Save one with this page to start from.");

  /** @returns {Node} */
  function build(node, key, depth) {
    const place = { line: lineOf(node), key };
    if (depth > MAX_DEPTH) fail(place, `more than ${MAX_DEPTH} levels. A score needs four.`);
    if (isAlias(node) || node?.anchor) fail(place, "an alias. Write the value out.");
    if (node?.tag && !node.tag.startsWith("tag:yaml.org,2002:")) fail(place, "a tag (a word that begins with !). Write a plain value.");
    if (isMap(node)) {
      const content = new Map();
      for (const pair of node.items) {
        const name = isScalar(pair.key) ? String(pair.key.value ?? "") : fail(place, "not a plain key. Write `key: value`.");
        const value = pair.value ? build(pair.value, name, depth + 1) : { kind: "text", content: "", key: name };
        content.set(name, { ...value, key: name, line: lineOf(pair.key) });
      }
      return { kind: "mapping", content, ...place };
    }
    if (isSeq(node)) return { kind: "list", content: node.items.map((item) => build(item, "", depth + 1)), ...place };
    return { kind: "text", content: String(/** @type {any} */ (node)?.value ?? ""), ...place };
  }
  return build(document.contents, "", 1);
}

function explain(error) {
  if (error.code === "TAB_AS_INDENT") return "a tab. Indent with spaces.";
  if (error.code === "DUPLICATE_KEY") return "the same key twice. Remove one of them.";
  return `${error.message.split(" at line ")[0].split("\n")[0]}. Check the quotes, brackets and blanks there.`;
}
