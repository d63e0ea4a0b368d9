import { FILE_START, type Position } from "../../core/policy/faults.ts"
import type { PolicyFault } from "../../core/policy/model.ts"
import type { FileFault } from "../../core/policy/provider-schemas.ts"
import { parseYaml, type YamlEntry, type YamlNode } from "../../core/policy/yaml.ts"
import { decodeText, Positions } from "../../core/policy/yaml-guard.ts"
import { fail, ok, type Result } from "../../core/result.ts"

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

/** Reads a file in the format of its name's ending. Depth and size have the limits of a policy, and keys must be unique. */
export function readText(path: string, bytes: Uint8Array): Reading {
  if (path.endsWith(".env")) return readDotenv(path, bytes)
  const isJson = path.endsWith(".json")
  const document = parseYaml(path, isJson ? spaced(bytes) : bytes)
  if (!document.ok) return fail(document.fault.map(ownWords))
  const { root, value } = document.value
  if (root.kind !== "map" || (isJson && !isJsonText(bytes))) {
    return fail([unusable(root.at, `This must be ${isJson ? "a JSON object" : "a map in YAML"}, as SOPS writes it.`)])
  }
  const sopsAt = root.entries.get(SOPS)?.at ?? root.at
  const entries = new Map([...root.entries].filter(([key]) => key !== SOPS))
  return ok({ root: { ...root, entries }, sops: (value as Record<string, unknown>)[SOPS], sopsAt })
}

export const unusable = ({ line, column }: Position, message: string): FileFault => ({
  line,
  column,
  code: "secrets_unusable",
  message,
})

/**
 * The parser's faults with our own words. The parser's messages quote the text, which may be an unencrypted secret, and
 * checks of pull requests print them.
 */
function ownWords({ code, line, column }: PolicyFault): FileFault {
  const why = WHY[code] ?? "it does not have the form that SOPS writes"
  return unusable(
    { line, column },
    `This secrets file cannot be read: ${why}. Encrypt it with sops, and change it only with sops.`,
  )
}

const WHY: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  file_too_large: "it has more than 64 KiB",
  file_empty: "it is empty",
  not_utf8: "it is not UTF-8",
  character_forbidden: "there is an unencrypted tab, control character or invisible character",
  yaml_feature: "aliases, anchors, merge keys, tags, directives and second documents are not supported",
  yaml_too_deep: "its nesting is too deep",
  key_duplicate: "this key is duplicated in its map",
  key_not_text: "this key is not a text",
})

/** JSON is YAML, except for tabs between tokens; texts contain none. They are replaced, so positions do not change. */
function spaced(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte === 0x09 ? 0x20 : byte))
}

function isJsonText(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder().decode(bytes))
    return true
  } catch {
    return false
  }
}

/** Lines of `KEY=value`, a line feed in a value written as `\n`; lines that begin with `#` are comments. */
function readDotenv(path: string, bytes: Uint8Array): Reading {
  const text = decodeText(path, bytes)
  if (!text.ok) return fail(text.fault.map(ownWords))
  const positions = new Positions(text.value)
  const entries = new Map<string, YamlEntry>()
  const settings = new Map<string, string>()
  let sopsAt = FILE_START
  let offset = 0
  for (const line of text.value.split("\n")) {
    const at = positions.at(offset)
    offset += line.length + 1
    if (line === "" || line.startsWith("#")) continue
    const equals = line.indexOf("=")
    if (equals < 1 || line.endsWith("\r"))
      return fail([unusable(at, "This line must be KEY=value, ended by a line feed, as SOPS writes it.")])
    const [key, value] = [line.slice(0, equals), line.slice(equals + 1).replaceAll("\\n", "\n")]
    const own = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : null
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

const AGE_ENTRY = /^age__list_(\d{1,3})__map_(recipient|enc)$/

/** SOPS's metadata in a format without maps: `age__list_0__map_enc` is `enc` of the first entry of `age`. */
function nested(settings: ReadonlyMap<string, string>): Readonly<Record<string, unknown>> {
  const age = new Map<string, Record<string, string>>()
  const flat: [string, unknown][] = []
  for (const [key, value] of settings) {
    const [, index, part] = AGE_ENTRY.exec(key) ?? []
    if (index === undefined || part === undefined) {
      // Of `pgp__list_0__map_fp` we only need to know that there is such a key.
      flat.push([key.split("__", 1)[0] ?? key, value])
      continue
    }
    const entry = age.get(index) ?? {}
    entry[part] = value
    age.set(index, entry)
  }
  return Object.fromEntries([...flat, ["age", [...age.values()]]])
}
