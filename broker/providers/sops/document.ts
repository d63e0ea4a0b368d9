import { type Position, quote } from "../../core/policy/faults.ts"
import type { FileFault, FileReading } from "../../core/policy/provider-schemas.ts"
import type { YamlNode, YamlScalar } from "../../core/policy/yaml.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import { KEY } from "./grant.ts"
import { keyRuleOf } from "./key-rule.ts"
import { type Metadata, readMetadata } from "./metadata.ts"
import { isSealed, readSealed, type SealedValue } from "./sealed-value.ts"
import { readText, unusable } from "./text.ts"

/** One value of a file of secrets. */
export interface Leaf {
  /** The keys of the maps that lead to it: what SOPS binds its ciphertext to. Lists do not count. */
  readonly keys: readonly string[]
  /** As a locator names it, with the numbers of lists' items; null when none can. */
  readonly name: string | null
  readonly at: Position
  /** Null when it lies there in the clear. */
  readonly sealed: SealedValue | null
  /** What lies there in the clear; null for a sealed value. Null as a value is null as well. */
  readonly plain: YamlScalar
  /** As the file writes it. */
  readonly source: string
}

/** A file that SOPS wrote and nobody is seen to have changed since; what it holds is not verified before it is opened. */
export interface SopsDocument {
  /** In the order of the file, which the MAC goes by. */
  readonly leaves: readonly Leaf[]
  readonly metadata: Metadata
}

/** Reads a file of secrets: every fault that shows without its key, or what it holds. Pure; never throws. */
export function readDocument(path: string, bytes: Uint8Array): Result<SopsDocument, readonly FileFault[]> {
  const text = readText(path, bytes)
  if (!text.ok) return text
  const { root, sops, sopsAt } = text.value
  const walk: Walk = { leaves: [], faults: [] }
  walkNode(root, [], [], walk)
  const { leaves, faults } = walk
  if (sops === undefined) return fail([inTheClear(leaves[0]?.at ?? root.at, "This file is not encrypted")])
  const metadata = readMetadata(sops)
  if (!metadata.ok) return fail([...faults, unusable(sopsAt, `This file of secrets ${metadata.fault}.`)])
  const rule = keyRuleOf(metadata.value.settings)
  for (const { keys, at, plain } of leaves) {
    if (plain !== null && plain !== "" && rule(keys) === true)
      faults.push(
        inTheClear(at, `${quote(keys.join("/"))} is not encrypted, and the file's own rule says that it should be`),
      )
  }
  const isAnyPlain = leaves.some(({ plain }) => plain !== null && plain !== "")
  if (isAnyPlain && faults.length === 0 && !leaves.some(({ sealed }) => sealed !== null) && rule([]) === null)
    faults.push(inTheClear(leaves[0]?.at ?? root.at, "Nothing in this file is encrypted"))
  return faults.length > 0 ? fail(faults) : ok({ leaves, metadata: metadata.value })
}

/** What the policy folder is to know of a file. */
export function readFile(path: string, bytes: Uint8Array): FileReading {
  const document = readDocument(path, bytes)
  if (!document.ok) return { faults: document.fault, parts: new Set() }
  return { faults: [], parts: new Set(document.value.leaves.flatMap(({ name }) => name ?? [])) }
}

interface Walk {
  readonly leaves: Leaf[]
  readonly faults: FileFault[]
}

/** `way` has the numbers of lists' items beside the keys; null behind a key that no locator can name. */
function walkNode(node: YamlNode, keys: readonly string[], way: readonly string[] | null, into: Walk): void {
  const further = (step: string) => (way !== null && KEY.test(step) ? [...way, step] : null)
  if (node.kind === "map") {
    for (const [key, { value }] of node.entries) walkNode(value, [...keys, key], further(key), into)
  } else if (node.kind === "list") {
    // SOPS turns a comment among a list's items into an item, which is none in what it opens.
    const items = node.items.filter((item) => !isSealedComment(item))
    for (const [index, item] of items.entries()) walkNode(item, keys, further(`${index}`), into)
  } else {
    const { at, value, source } = node
    const sealed = isSealed(value) ? readSealed(value) : null
    if (isSealed(value) && (sealed === null || sealed.type === "comment"))
      into.faults.push(
        unusable(at, `${quote(keys.join("/"))} is not an encrypted value as SOPS writes it: restore the file.`),
      )
    into.leaves.push({ keys, name: way?.join("/") ?? null, at, sealed, plain: sealed === null ? value : null, source })
  }
}

const isSealedComment = (node: YamlNode) =>
  node.kind === "scalar" && isSealed(node.value) && readSealed(node.value)?.type === "comment"

function inTheClear({ line, column }: Position, what: string): FileFault {
  const message = `${what}. Whoever can read this folder can read it: encrypt it with sops encrypt --in-place, or sops edit, and replace the secret itself where it was committed before.`
  return { line, column, code: "secret_plaintext", message }
}
