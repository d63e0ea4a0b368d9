import { didYouMean, FILE_START, fault, type Position, quote, visible } from "./faults.ts"
import type { Grant, Policy, PolicyFault } from "./model.ts"
import type { ProviderSchemaTable } from "./provider-schemas.ts"

/** A file of the policy folder that a grant names, and where it does. */
export interface NamedFile {
  /** The grant's name. */
  readonly grant: string
  /** From the folder, with forward slashes. */
  readonly path: string
  /** What of the file; null when a job's claims decide. */
  readonly part: string | null
  readonly at: Position
}

/** A file of secrets as it lies in the folder, and what is known of it. */
export interface SecretsFile {
  readonly text: string
  readonly faults: readonly PolicyFault[]
  /** What grants can name in it. */
  readonly parts: ReadonlySet<string>
}

/** Reads a file of secrets by the word of the provider whose grants name such files. */
export function readSecrets(path: string, bytes: Uint8Array, providers: ProviderSchemaTable): SecretsFile {
  const text = new TextDecoder().decode(bytes)
  for (const { files } of providers.values()) {
    if (files === undefined) continue
    const { faults, parts } = files.read(path, bytes)
    return { text, faults: faults.map((each) => ({ ...each, file: path, message: visible(each.message) })), parts }
  }
  const message = "No provider of this version reads files of secrets: remove this one."
  return { text, faults: [fault(path, FILE_START, "secrets_unusable", message)], parts: new Set() }
}

/**
 * The policy with every file that its grants name beside the grant, so that it goes where the grant goes; and a fault for
 * each that is not there, or has not what is wanted of it.
 */
export function withFiles(
  policy: Policy,
  named: readonly NamedFile[],
  files: ReadonlyMap<string, SecretsFile>,
): { readonly policy: Policy; readonly faults: readonly PolicyFault[] } {
  const faults: PolicyFault[] = []
  const grants = new Map(policy.grants)
  for (const { grant: name, path, part, at } of named) {
    const file = files.get(path)
    const no = (what: string, hint: string) =>
      faults.push(
        fault(policy.file, at, "secrets_unknown", `${name} names ${what}.${hint || " Correct the name, or add it."}`),
      )
    if (file === undefined) {
      no(`the file ${quote(path)}, which is not in the policy folder`, didYouMean(path, files.keys()))
      continue
    }
    // What is wrong with the file is said where it is wrong.
    if (file.faults.length === 0 && part !== null && !file.parts.has(part))
      no(`${quote(part)} in ${path}, where no such value is`, didYouMean(part, file.parts))
    const grant = grants.get(name)
    if (grant !== undefined) grants.set(name, withFile(grant, path, file.text))
  }
  return { policy: { ...policy, grants }, faults }
}

const withFile = (grant: Grant, path: string, text: string): Grant => ({
  ...grant,
  files: new Map([...(grant.files ?? []), [path, text]]),
})
