import { FILE_START, type Position } from "../../broker/core/policy/faults.ts"
import { isPolicy, type PolicyInput } from "../../broker/core/policy/policy-input.ts"
import { parseUsualYaml } from "../../broker/core/policy/usual-yaml.ts"
import { childOf, itemsOf, keyPosition, nodeAt, type YamlNode, type YamlPath } from "../../broker/core/policy/yaml.ts"

/** Finds positions in the files that a set was loaded from. The set itself does not keep them all. */
export interface Sources {
  /** The position of the key at the end of a path. */
  keyAt(file: string, path: YamlPath): Position
  /** The position of the value at the end of a path. */
  valueAt(file: string, path: YamlPath): Position
  /** The position of one pattern of a condition, by its index. The path leads to the condition. */
  patternAt(file: string, path: YamlPath, index: number): Position
  /** The position of the first string below a path that passes a test. */
  textAt(file: string, path: YamlPath, fulfils: (text: string) => boolean): Position
  /** The lines of each file that contains this text. */
  linesWith(text: string): Iterable<readonly [file: string, lines: readonly string[]]>
}

/**
 * Finds positions by parsing files again: each at most once, and only files with a finding, because parsing takes most of
 * a check's time. The files must be those that the set was loaded from, byte for byte.
 */
export function sourcesOf(files: readonly PolicyInput[], parse = parseUsualYaml): Sources {
  const bytesOf = new Map(files.map(({ path, bytes }) => [path, bytes]))
  const roots = new Map<string, YamlNode | null>()
  const rootOf = (file: string): YamlNode | null => {
    const before = roots.get(file)
    if (before !== undefined) return before
    const bytes = bytesOf.get(file)
    const document = bytes === undefined ? null : parse(file, bytes)
    const root = document?.ok ? document.value.root : null
    roots.set(file, root)
    return root
  }
  const inRoot = (file: string, find: (root: YamlNode) => Position): Position => {
    const root = rootOf(file)
    return root === null ? FILE_START : find(root)
  }
  return {
    keyAt: (file, path) => inRoot(file, (root) => keyPosition(root, path)),
    valueAt: (file, path) => inRoot(file, (root) => nodeAt(root, path).at),
    patternAt: (file, path, index) =>
      inRoot(file, (root) => {
        const node = nodeAt(root, path)
        const patterns = childOf(node, "not") ?? node
        return (itemsOf(patterns)[index] ?? patterns).at
      }),
    textAt: (file, path, fulfils) =>
      inRoot(file, (root) => {
        const node = nodeAt(root, path)
        return firstText(node, fulfils) ?? node.at
      }),
    *linesWith(text) {
      const wanted = new TextEncoder().encode(text)
      for (const { path, bytes } of files) {
        if (!isPolicy(path) || !includes(bytes, wanted)) continue
        yield [path, new TextDecoder().decode(bytes).split("\n")]
      }
    },
  }
}

function firstText(node: YamlNode, fulfils: (text: string) => boolean): Position | null {
  if (node.kind === "scalar") return typeof node.value === "string" && fulfils(node.value) ? node.at : null
  const members = node.kind === "list" ? node.items : [...node.entries.values()].map(({ value }) => value)
  for (const member of members) {
    const found = firstText(member, fulfils)
    if (found !== null) return found
  }
  return null
}

function includes(bytes: Uint8Array, wanted: Uint8Array): boolean {
  const [first = 0] = wanted
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return true
  }
  return false
}
