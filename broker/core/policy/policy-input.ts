import { FILE_START, fault, visible } from "./faults.ts"
import type { PolicyFault } from "./model.ts"

/** The organisation file's name, at the folder's root. */
export const ORGANISATION_FILE = "daypass.yaml"

/** One file of a policy folder. */
export interface PolicyInput {
  /** Relative to the folder, with forward slashes. */
  readonly path: string
  readonly bytes: Uint8Array
  /** Why the reader of the folder refused this file. A folder with such a file does not load. */
  readonly refused?: string
}

/** A name with `.sops.` is a secrets file, whatever it contains. */
export const isSecrets = (path: string): boolean => /[^/]\.sops\.(?:ya?ml|json|env)$/.test(path)
/** Policies and the organisation file. Tests of policies, `*.test.yaml`, are not among them. */
export const isPolicy = (path: string): boolean =>
  path.endsWith(".yaml") && !path.endsWith(".test.yaml") && !isSecrets(path)
/** The settings of the sops tool, which Daypass does not read. */
const SOPS_SETTINGS = /(?:^|\/)\.sops\.yaml$/

/** Whether a file's name looks like one for Daypass. Such a file must be read, so that a wrong name can be reported. */
export const isReadName = (name: string): boolean => /\.ya?ml$/i.test(name) || isNearlySecrets(name)

/** Also the names that sops encrypts but the broker does not read, so that they are reported when the folder loads. */
const isNearlySecrets = (path: string) => /[^/]\.sops\.[a-z0-9]+$/i.test(path)

/** The kind of a file in a policy folder. */
export type InputKind = "policy" | "secrets"

/**
 * The kind of a file; null when it is not for Daypass. Reports a fault when the name is nearly right: a policy that is not
 * read does not protect, and a secrets file that is not checked may contain plain text.
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
    return no(
      "The name of a secrets file must end in .sops.yaml, .sops.yml, .sops.json or .sops.env: rename this file.",
    )
  }
  if (!secrets && /\.ya?ml$/i.test(path) && !path.endsWith(".yaml")) {
    return no("The name of a policy file must end in .yaml: rename this file.")
  }
  if (!secrets && !isPolicy(path)) return null
  if (visible(path) !== path) return no("The name contains an invisible character: rename this file.")
  if (parts.some((part) => part === "" || part === "." || part === "..") || path.includes("\\")) {
    return no("The path must stay inside the folder and use forward slashes.")
  }
  return secrets ? "secrets" : "policy"
}

/** Two files have one name, and neither can be known to be the right one. */
export function duplicateFault(path: string): PolicyFault {
  return fault(path, FILE_START, "file_duplicate", "Two files have this name: keep one.")
}

/** Files in the order of their paths, which is the order of the folder. */
export function sortedInputs(files: Iterable<PolicyInput>): readonly PolicyInput[] {
  return [...files].sort((one, other) => compare(one.path, other.path))
}

/** Faults in the order in which people should read them. */
export function sortedFaults(faults: PolicyFault[]): readonly PolicyFault[] {
  return faults.sort(compareFaults)
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function compareFaults(a: PolicyFault, b: PolicyFault): number {
  // A fault of the organisation file often causes the others.
  const first = Number(b.file === ORGANISATION_FILE) - Number(a.file === ORGANISATION_FILE)
  return first || compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.code, b.code)
}
