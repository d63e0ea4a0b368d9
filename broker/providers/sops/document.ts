import { type Position, quote } from "../../core/policy/faults.ts"
import type { FileFault, FileReading } from "../../core/policy/provider-schemas.ts"
import type { YamlNode, YamlScalar } from "../../core/policy/yaml.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import { unusable } from "./fault.ts"
import { KEY } from "./grant.ts"
import { keyRuleOf } from "./key-rule.ts"
import { type Metadata, readMetadata } from "./metadata.ts"
import { isSealed, readSealed, type SealedValue } from "./sealed-value.ts"
import { readText } from "./text.ts"

/** One value of a secrets file. */
export interface Leaf {
  /** The keys of the maps that lead to it, without lists. SOPS binds the ciphertext to them. */
  readonly keys: readonly string[]
  /** Its name in a locator, with the numbers of list items; null when no locator can name it. */
  readonly name: string | null
  readonly at: Position
  /** Null when it is not encrypted. */
  readonly sealed: SealedValue | null
  /** The unencrypted value; null for an encrypted one. The value null is also null. */
  readonly plain: YamlScalar
  /** The text in the file. */
  readonly source: string
}

/** A file in the form that SOPS writes. Its contents are verified only when it is decrypted. */
export interface SopsDocument {
  /** In the order of the file, which the MAC depends on. */
  readonly leaves: readonly Leaf[]
  readonly metadata: Metadata
}

/** Reads a secrets file. Returns its values, or every fault that is visible without the key. Pure; never throws. */
export function readDocument(path: string, bytes: Uint8Array): Result<SopsDocument, readonly FileFault[]> {
  const text = readText(path, bytes)
  if (!text.ok) return text
  const { root, sops, sopsAt } = text.value
  const walk: Walk = { leaves: [], faults: [] }
  walkNode(root, [], [], walk)
  const { faults } = walk
  const leaves = path.endsWith(".env") ? withExports(walk.leaves) : walk.leaves
  if (sops === undefined) return fail([inTheClear(leaves[0]?.at ?? root.at, "This file is not encrypted")])
  const metadata = readMetadata(sops)
  if (!metadata.ok) return fail([...faults, unusable(sopsAt, `This secrets file ${metadata.fault}.`)])
  const rule = keyRuleOf(metadata.value.settings)
  for (const { keys, at, plain } of leaves) {
    if (plain !== null && plain !== "" && rule(keys) === true)
      faults.push(inTheClear(at, `${shown(keys)} is not encrypted, although the file's own rule requires it`))
  }
  const isAnyPlain = leaves.some(({ plain }) => plain !== null && plain !== "")
  if (isAnyPlain && faults.length === 0 && !leaves.some(({ sealed }) => sealed !== null) && rule([]) === null)
    faults.push(inTheClear(leaves[0]?.at ?? root.at, "Nothing in this file is encrypted"))
  return faults.length > 0 ? fail(faults) : ok({ leaves, metadata: metadata.value })
}

/** What the policy loader needs to know of a file. */
export function readFile(path: string, bytes: Uint8Array): FileReading {
  const document = readDocument(path, bytes)
  if (!document.ok) return { faults: document.fault, parts: new Set() }
  return {
    faults: [],
    parts: new Set(document.value.leaves.flatMap(({ name }) => (name === null ? [] : partsOf(name)))),
  }
}

/** A value's name, and what it is part of: `a/b` has the parts `a/b`, `a/` and `/`, which is the whole file. */
const partsOf = (name: string): readonly string[] => [
  name,
  ...[...name.matchAll(/\//g)].map(({ index }) => name.slice(0, index + 1)),
  "/",
]

/** Keys for a message. They may contain any character, and some change how a terminal or a page shows the rest. */
const shown = (keys: readonly string[]) =>
  quote(keys.join("/")).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )

interface Walk {
  readonly leaves: Leaf[]
  readonly faults: FileFault[]
}

/** `way` has the keys and the numbers of list items; null after a key that no locator can name. */
function walkNode(node: YamlNode, keys: readonly string[], way: readonly string[] | null, into: Walk): void {
  const further = (step: string) => (way !== null && KEY.test(step) ? [...way, step] : null)
  if (node.kind === "map") {
    for (const [key, { value }] of node.entries) walkNode(value, [...keys, key], further(key), into)
  } else if (node.kind === "list") {
    // SOPS encrypts a comment in a list as an item, and drops it again when it decrypts.
    const items = node.items.filter((item) => !isSealedComment(item))
    for (const [index, item] of items.entries()) walkNode(item, keys, further(`${index}`), into)
  } else {
    const { at, value, source } = node
    const sealed = isSealed(value) ? readSealed(value) : null
    if (isSealed(value) && (sealed === null || sealed.type === "comment"))
      into.faults.push(
        unusable(at, `${shown(keys)} is not an encrypted value in the form that SOPS writes: restore the file.`),
      )
    into.leaves.push({ keys, name: way?.join("/") ?? null, at, sealed, plain: sealed === null ? value : null, source })
  }
}

/** `export KEY` of a dotenv file is named KEY, as a shell that reads the file would, unless another line has that name. */
function withExports(leaves: readonly Leaf[]): readonly Leaf[] {
  const taken = new Set(leaves.map(({ name }) => name))
  return leaves.map((leaf) => {
    const [, name = ""] = /^export +(\S+)$/.exec(leaf.keys[0] ?? "") ?? []
    if (!KEY.test(name) || taken.has(name)) return leaf
    taken.add(name)
    return { ...leaf, name }
  })
}

const isSealedComment = (node: YamlNode) =>
  node.kind === "scalar" && isSealed(node.value) && readSealed(node.value)?.type === "comment"

function inTheClear({ line, column }: Position, what: string): FileFault {
  const message = `${what}. Everyone who can read this folder can read it: encrypt it with sops encrypt --in-place, or sops edit. If it was committed, also replace the secret itself.`
  return { line, column, code: "secret_plaintext", message }
}
