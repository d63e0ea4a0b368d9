import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { fail, ok, type Result } from "../result.ts"
import { FILE_START, fault, visible } from "./faults.ts"
import { grantNameFaults } from "./grant-names.ts"
import type { Policy, PolicyFault, PolicySet } from "./model.ts"
import { type OrganisationReading, readOrganisation } from "./organisation.ts"
import { readPolicy } from "./policy-file.ts"
import { policySet } from "./policy-set.ts"
import type { ProviderSchemaTable } from "./provider-schemas.ts"
import { parseYaml, type YamlDocument } from "./yaml.ts"

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

/**
 * Checks and compiles a whole folder: all of its faults, of all of its files, or a set without any.
 *
 * `daypass.yaml` at the root is the organisation file; every other `*.yaml` is a policy. `*.test.yaml` and files with
 * other names are ignored, except for those that somebody surely meant as policies: `*.yml` and `*.YAML`. Pure; never
 * throws. Whoever loads again and again can pass a `parse` that remembers: parsing is most of the work.
 */
export function loadPolicySet(
  files: readonly PolicyInput[],
  providers: ProviderSchemaTable,
  parse: typeof parseYaml = parseYaml,
): Result<PolicySet, readonly PolicyFault[]> {
  const sorted = [...files].sort((one, other) => compare(one.path, other.path))
  const { documents, meant, faults } = parsedFiles(sorted, parse)
  for (const path of documents.keys()) {
    if (!path.endsWith(`/${ORGANISATION_FILE}`)) continue
    const message = `There is one organisation file, ${ORGANISATION_FILE} at the folder's root: move or rename this one.`
    faults.push(fault(path, FILE_START, "organisation_misplaced", message))
    documents.delete(path)
  }

  if (!meant.some(({ path }) => path === ORGANISATION_FILE)) {
    const message = `The folder has no ${ORGANISATION_FILE} at its root, which says whom the organisation trusts: add it.`
    faults.push(fault(ORGANISATION_FILE, FILE_START, "organisation_missing", message))
  }
  const organisationDocument = documents.get(ORGANISATION_FILE)
  const reading: OrganisationReading | null = organisationDocument
    ? readOrganisation(ORGANISATION_FILE, organisationDocument, providers)
    : null
  if (reading) faults.push(...reading.faults)
  documents.delete(ORGANISATION_FILE)

  const policies: Policy[] = []
  for (const [file, document] of documents) {
    const { policy, faults: found } = readPolicy(file, document, reading)
    faults.push(...found)
    if (policy) policies.push(policy)
  }
  faults.push(...grantNameFaults(documents, reading?.issuerNames ?? []))

  if (faults.length > 0 || !reading?.organisation) return fail(sortedFaults(faults))
  return ok(policySet(versionOf(meant), reading.organisation, policies))
}

/** What could be parsed of some files, by path, and every fault in the rest. */
export function parsedFiles(files: readonly PolicyInput[], parse: typeof parseYaml = parseYaml) {
  const faults: PolicyFault[] = []
  const documents = new Map<string, YamlDocument>()
  const meant = files.filter((file) => isMeant(file, faults))
  for (const { path, bytes } of meant) {
    if (documents.has(path)) {
      faults.push(fault(path, FILE_START, "file_duplicate", "There are two files of this name: keep one."))
      continue
    }
    const document = parse(path, bytes)
    if (document.ok) documents.set(path, document.value)
    else faults.push(...document.fault)
  }
  return { documents, meant, faults }
}

/** Faults in the order in which people should read them. */
export function sortedFaults(faults: PolicyFault[]): readonly PolicyFault[] {
  return faults.sort(compareFaults)
}

/** Whether a file is one of ours; says so when its name only nearly is, because a policy that nobody reads protects nobody. */
function isMeant({ path, refused }: PolicyInput, faults: PolicyFault[]): boolean {
  const no = (message: string) => {
    faults.push(fault(path, FILE_START, "file_name", message))
    return false
  }
  if (refused !== undefined) {
    faults.push(fault(path, FILE_START, "file_refused", refused))
    return false
  }
  const parts = path.split("/")
  if (/\.ya?ml$/i.test(path) && !path.endsWith(".yaml")) return no("Policy files end in .yaml: rename this one.")
  if (!path.endsWith(".yaml") || path.endsWith(".test.yaml")) return false
  if (visible(path) !== path) return no("The name holds a character that cannot be seen: rename this file.")
  if (parts.some((part) => part === "" || part === "." || part === "..") || path.includes("\\")) {
    return no("The path is not one inside the folder, written with forward slashes.")
  }
  return true
}

/** SHA-256 over every file's name and text, each with its length before it, so that no two folders read alike. */
function versionOf(files: readonly PolicyInput[]): string {
  const hash = sha256.create()
  const encoder = new TextEncoder()
  for (const { path, bytes } of files) {
    for (const part of [encoder.encode(path), bytes]) hash.update(encoder.encode(`${part.length}:`)).update(part)
  }
  return bytesToHex(hash.digest())
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function compareFaults(a: PolicyFault, b: PolicyFault): number {
  // What the organisation file says wrong is often why the others are.
  const first = Number(b.file === ORGANISATION_FILE) - Number(a.file === ORGANISATION_FILE)
  return first || compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.code, b.code)
}
