import { FILE_START, type Position } from "../../core/policy/faults.ts"
import type { FileFault } from "../../core/policy/provider-schemas.ts"
import type { YamlEntry, YamlNode } from "../../core/policy/yaml.ts"
import { MAX_FILE_BYTES, Positions, undecodable } from "../../core/policy/yaml-guard.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import { unreadable, unusable } from "./fault.ts"
import { isSealed } from "./sealed-value.ts"
import { readYaml } from "./yaml.ts"

/** A secrets file as a tree, with SOPS's metadata taken out. */
export interface SecretsText {
  readonly root: YamlNode
  /** SOPS's metadata as plain data; undefined when there is none. */
  readonly sops: unknown
  readonly sopsAt: Position
}

type Reading = Result<SecretsText, readonly FileFault[]>

/** The key of SOPS's metadata, and the prefix of its keys in a format without maps. */
const SOPS = "sops"
const PREFIX = "sops_"

/** Reads a file in the format of its name's ending: at most 64 KiB, nested at most 64 levels deep, its keys unique. */
export function readText(path: string, bytes: Uint8Array): Reading {
  const text = decoded(bytes)
  if (!text.ok) return fail([text.fault])
  if (path.endsWith(".env")) return readDotenv(text.value)
  const isJson = path.endsWith(".json")
  // JSON is YAML, except for tabs between tokens; its texts contain none. Spaces keep the positions.
  const yaml = isJson ? text.value.replaceAll("\t", " ") : text.value
  const document = readYaml(yaml, new Positions(yaml), isJson)
  if (!document.ok) return fail([document.fault])
  const root = document.value
  if (root.kind !== "map" || (isJson && !isJsonText(text.value))) {
    return fail([unusable(root.at, `This must be ${isJson ? "a JSON object" : "a map in YAML"}, as SOPS writes it.`)])
  }
  const own = root.entries.get(SOPS)
  const entries = new Map([...root.entries].filter(([key]) => key !== SOPS))
  return ok({
    root: { ...root, entries },
    sops: own === undefined ? undefined : plainOf(own.value),
    sopsAt: own?.at ?? root.at,
  })
}

/** Every character is allowed, because the file decides nothing. A policy may not contain invisible ones. */
function decoded(bytes: Uint8Array): Result<string, FileFault> {
  if (bytes.length > MAX_FILE_BYTES) return fail(unreadable(FILE_START, "size"))
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
    return text.trim() === "" ? fail(unreadable(FILE_START, "empty")) : ok(text)
  } catch {
    return fail(unreadable(undecodable(bytes), "utf8"))
  }
}

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** A node as plain data; maps have no prototype. */
function plainOf(node: YamlNode): unknown {
  if (node.kind === "scalar") return node.value
  if (node.kind === "list") return node.items.map(plainOf)
  const plain: Record<string, unknown> = Object.create(null)
  for (const [key, { value }] of node.entries) plain[key] = plainOf(value)
  return plain
}

/**
 * Lines of `KEY=value`, a line feed in a value written as `\n`; lines that begin with `#` are comments. Everything before
 * the first `=` is the key, as in SOPS itself: `export KEY` too, and an empty one.
 */
function readDotenv(text: string): Reading {
  const positions = new Positions(text)
  const entries = new Map<string, YamlEntry>()
  const settings = new Map<string, string>()
  let sopsAt = FILE_START
  let offset = 0
  for (const line of text.split("\n")) {
    const at = positions.at(offset)
    offset += line.length + 1
    if (line === "" || line.startsWith("#")) continue
    const equals = line.indexOf("=")
    const [key, value] = [line.slice(0, equals), line.slice(equals + 1).replaceAll("\\n", "\n")]
    const own = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : null
    // A carriage return is part of an unencrypted value. Behind an encrypted one, somebody changed the line ends.
    if (equals < 0 || (line.endsWith("\r") && (own !== null || isSealed(value))))
      return fail([unusable(at, "This line must be KEY=value, ended by a line feed, as SOPS writes it.")])
    if (own === null ? entries.has(key) : settings.has(own))
      return fail([unusable(at, "This key is duplicated in the file: keep one.")])
    if (own === null) entries.set(key, { at, value: { kind: "scalar", at, value, source: value } })
    else {
      if (settings.size === 0) sopsAt = at
      settings.set(own, value)
    }
  }
  if (entries.size === 0) return fail([unusable(FILE_START, "This file contains no secret.")])
  return ok({
    root: { kind: "map", at: FILE_START, entries },
    sops: settings.size === 0 ? undefined : nested(settings),
    sopsAt,
  })
}

/** `kms__list_0__map_context__map_app`: a member `app` of the map `context` in the first item of the list `kms`. */
const STEP = /__(?:list_(\d{1,3})(?=__|$)|map_)/

/** SOPS's metadata in a format without maps. Maps have no prototype; items of a list keep their order, without holes. */
function nested(settings: ReadonlyMap<string, string>): Readonly<Record<string, unknown>> {
  const root = new Map<string, unknown>()
  for (const [key, value] of settings) {
    const way = stepsOf(key)
    let at = root
    for (const step of way.slice(0, -1)) {
      const next = at.get(step)
      const below = next instanceof Map ? next : new Map<string, unknown>()
      at.set(step, below)
      at = below
    }
    at.set(way.at(-1) ?? key, value)
  }
  return plain(root) as Readonly<Record<string, unknown>>
}

/** The steps of a key. Those of list items begin with a `#`, which is in none of SOPS's own names. */
function stepsOf(key: string): readonly string[] {
  const steps: string[] = []
  let rest = key
  for (;;) {
    const step = STEP.exec(rest)
    steps.push(step === null ? rest : rest.slice(0, step.index))
    if (step === null) return steps.filter((one) => one !== "")
    if (step[1] !== undefined) steps.push(`#${step[1].padStart(3, "0")}`)
    rest = rest.slice(step.index + step[0].length)
  }
}

function plain(node: unknown): unknown {
  if (!(node instanceof Map)) return node
  const entries = [...(node as Map<string, unknown>)]
  if (entries.every(([name]) => name.startsWith("#")))
    return entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => plain(value))
  const map: Record<string, unknown> = Object.create(null)
  for (const [name, value] of entries) map[name] = plain(value)
  return map
}
