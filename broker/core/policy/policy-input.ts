import { FILE_START, fault, visible } from "./faults.ts"
import type { PolicyFault } from "./model.ts"

/** The organisation file's name, at the folder's root. */
export const ORGANISATION_FILE = "daypass.yaml"

/** One file of a policy folder. */
export interface PolicyInput {
  /** Relative to the folder, with forward slashes. */
  readonly path: string
  readonly bytes: Uint8Array
  /** Why whoever read the folder would not read this file; the folder then does not load. */
  readonly refused?: string
}

/** Files of secrets have `.sops.` in their names, and are taken for nothing else, whatever they hold. */
export const isSecrets = (path: string): boolean => /[^/]\.sops\.(?:ya?ml|json|env)$/.test(path)
/** Files of policies, and the organisation's own; tests of policies stand beside them. */
export const isPolicy = (path: string): boolean =>
  path.endsWith(".yaml") && !path.endsWith(".test.yaml") && !isSecrets(path)
/** The settings of SOPS itself, which belong to whoever encrypts. */
const SOPS_SETTINGS = /(?:^|\/)\.sops\.yaml$/

/** Whether somebody most likely meant a file of a folder for us, by its name: what is not read cannot be refused. */
export const isReadName = (name: string): boolean => /\.ya?ml$/i.test(name) || isNearlySecrets(name)

/** Also what sops would encrypt and the broker does not read: nobody is to find out late which of the two a file is. */
const isNearlySecrets = (path: string) => /[^/]\.sops\.[a-z0-9]+$/i.test(path)

/** What a file of a folder is for. */
export type InputKind = "policy" | "secrets"

/**
 * What a file is, null when it is none of ours; says so when its name only nearly is, because a policy that nobody reads
 * protects nobody, and secrets that nobody checks may lie there in the clear.
 */
export function kindOf({ path, refused }: PolicyInput, faults: PolicyFault[]): InputKind | null {
  const no = (message: string) => {
    faults.push(fault(path, FILE_START, "file_name", message))
    return null
  }
  if (refused !== undefined) {
    faults.push(fault(path, FILE_START, "file_refused", refused))
    return null
  }
  if (SOPS_SETTINGS.test(path)) return null
  const secrets = isSecrets(path)
  const parts = path.split("/")
  if (!secrets && isNearlySecrets(path)) {
    return no("Files of secrets end in .sops.yaml, .sops.yml, .sops.json or .sops.env: rename this one.")
  }
  if (!secrets && /\.ya?ml$/i.test(path) && !path.endsWith(".yaml")) {
    return no("Policy files end in .yaml: rename this one.")
  }
  if (!secrets && !isPolicy(path)) return null
  if (visible(path) !== path) return no("The name holds a character that cannot be seen: rename this file.")
  if (parts.some((part) => part === "" || part === "." || part === "..") || path.includes("\\")) {
    return no("The path is not one inside the folder, written with forward slashes.")
  }
  return secrets ? "secrets" : "policy"
}

/** Of two files with one name, neither can be told to be the right one. */
export function duplicateFault(path: string): PolicyFault {
  return fault(path, FILE_START, "file_duplicate", "There are two files of this name: keep one.")
}

/** Files in the order of their paths, which is the folder's. */
export function sortedInputs(files: Iterable<PolicyInput>): readonly PolicyInput[] {
  return [...files].sort((one, other) => compare(one.path, other.path))
}

/** Faults in the order in which people should read them. */
export function sortedFaults(faults: PolicyFault[]): readonly PolicyFault[] {
  return faults.sort(compareFaults)
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function compareFaults(a: PolicyFault, b: PolicyFault): number {
  // What the organisation file says wrong is often why the others are.
  const first = Number(b.file === ORGANISATION_FILE) - Number(a.file === ORGANISATION_FILE)
  return first || compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.code, b.code)
}
