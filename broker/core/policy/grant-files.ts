import { didYouMean, FILE_START, fault, type Position, quote, visible } from "./faults.ts"
import type { Grant, Policy, PolicyFault } from "./model.ts"
import type { FileName, ProviderSchemaTable } from "./provider-schemas.ts"

/** A file of the policy folder that a grant names, with the place of that name. */
export interface NamedFile {
  /** The grant's name. */
  readonly grant: string
  /** Relative to the folder, with forward slashes. */
  readonly path: string
  /** The value in the file; null when a job's claims choose it. */
  readonly part: string | null
  readonly variables?: FileName["variables"]
  readonly at: Position
}

/** The text of a secrets file in the folder, its faults, and its parts. */
export interface SecretsFile {
  readonly text: string
  readonly faults: readonly PolicyFault[]
  /** The values that grants can name. */
  readonly parts: ReadonlySet<string>
}

/** Reads a secrets file with the provider whose grants name such files. */
export function readSecrets(path: string, bytes: Uint8Array, providers: ProviderSchemaTable): SecretsFile {
  const text = new TextDecoder().decode(bytes)
  for (const { files } of providers.values()) {
    if (files === undefined) continue
    const { faults, parts } = files.read(path, bytes)
    return { text, faults: faults.map((each) => ({ ...each, file: path, message: visible(each.message) })), parts }
  }
  const message = "No provider in this version reads secrets files: remove this file."
  return { text, faults: [fault(path, FILE_START, "secrets_unusable", message)], parts: new Set() }
}

/**
 * Adds to each grant the text of every file that it names, so that the text travels with the grant. Reports a fault for
 * each file, or value in it, that does not exist.
 */
export function withFiles(
  policy: Policy,
  named: readonly NamedFile[],
  files: ReadonlyMap<string, SecretsFile>,
): { readonly policy: Policy; readonly faults: readonly PolicyFault[] } {
  const faults: PolicyFault[] = []
  const grants = new Map(policy.grants)
  for (const { grant: name, path, part, variables, at } of named) {
    const file = files.get(path)
    const no = (what: string, hint: string) =>
      faults.push(
        fault(policy.file, at, "secrets_unknown", `${name} names ${what}.${hint || " Correct the name, or add it."}`),
      )
    if (file === undefined) {
      no(`the file ${quote(path)}, which is not in the policy folder`, didYouMean(path, files.keys()))
      continue
    }
    // Faults of the file itself are reported at their own place.
    if (file.faults.length === 0 && part !== null) {
      const read = variables?.(file.parts)
      if (!file.parts.has(part))
        no(`the value ${quote(part)} of ${path}, which that file does not have`, didYouMean(part, file.parts))
      else if (read?.ok === false)
        faults.push(fault(policy.file, at, "grant_conflict", `${name}: ${quote(part)} of ${path} ${read.fault}.`))
    }
    const grant = grants.get(name)
    if (grant !== undefined) grants.set(name, withFile(grant, path, file.text))
  }
  return { policy: { ...policy, grants }, faults }
}

const withFile = (grant: Grant, path: string, text: string): Grant => ({
  ...grant,
  files: new Map([...(grant.files ?? []), [path, text]]),
})
