import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { fail, ok, type Result } from "../result.ts"
import { atOnce, type Steps } from "../steps.ts"
import { FILE_START, fault } from "./faults.ts"
import { readSecrets, type SecretsFile, withFiles } from "./grant-files.ts"
import { grantNameSteps } from "./grant-names.ts"
import type { Policy, PolicyFault, PolicySet } from "./model.ts"
import { type OrganisationReading, readOrganisation } from "./organisation.ts"
import { type PolicyReading, readPolicy } from "./policy-file.ts"
import {
  duplicateFault,
  kindOf,
  ORGANISATION_FILE,
  type PolicyInput,
  sortedFaults,
  sortedInputs,
} from "./policy-input.ts"
import { policySet } from "./policy-set.ts"
import type { ProviderSchemaTable } from "./provider-schemas.ts"
import { parseYaml, type YamlDocument } from "./yaml.ts"

type Loaded = Result<PolicySet, readonly PolicyFault[]>

/** Loads one folder again and again. */
export interface PolicyLoader {
  /** What `loadPolicySet` makes of the same files, whatever was loaded before. */
  load(files: Iterable<PolicyInput>): Loaded
  /** The same work with a pause behind every file, for whoever must answer others meanwhile. One at a time. */
  steps(files: Iterable<PolicyInput>): Steps<Loaded>
}

/**
 * Makes a loader that remembers of every file what came of it, so that one changed file of thousands costs one.
 *
 * A file is parsed again when its bytes changed, and read again when they or the organisation file's did. What one file
 * says about others, the grants' names, is checked over all of them each time. A file that is gone is forgotten. Bytes
 * that were handed in must not be written to: their identity counts as equality.
 */
export function createPolicyLoader(providers: ProviderSchemaTable): PolicyLoader {
  let remembered: ReadonlyMap<string, KnownFile> = new Map()
  let rememberedSecrets: ReadonlyMap<string, KnownSecrets> = new Map()
  let organisation: { readonly document: YamlDocument; readonly reading: OrganisationReading } | null = null

  const organisationOf = (document: YamlDocument): OrganisationReading => {
    // The same document is the same reading, down to its identity: policies are kept by what they were read against.
    if (organisation?.document !== document) {
      organisation = { document, reading: readOrganisation(ORGANISATION_FILE, document, providers) }
    }
    return organisation.reading
  }

  function* steps(files: Iterable<PolicyInput>): Steps<Loaded> {
    const faults: PolicyFault[] = []
    const all = new Map<string, Versioned>()
    const known = new Map<string, KnownFile>()
    const secrets = new Map<string, KnownSecrets>()
    const documents = new Map<string, YamlDocument>()
    for (const input of sortedInputs(files)) {
      const kind = kindOf(input, faults)
      if (kind === null) continue
      const { path, bytes } = input
      if (documents.has(path) || secrets.has(path)) {
        faults.push(duplicateFault(path))
        continue
      }
      if (kind === "secrets") {
        const before = rememberedSecrets.get(path)
        const file = before && sameBytes(before.bytes, bytes) ? before : knownSecrets(path, bytes, providers)
        secrets.set(path, file)
        all.set(path, file)
        faults.push(...file.faults)
        yield
        continue
      }
      const before = remembered.get(path)
      const file = before && sameBytes(before.bytes, bytes) ? before : knownFile(path, bytes)
      known.set(path, file)
      all.set(path, file)
      if (file.parsed.ok) documents.set(path, file.parsed.value)
      else faults.push(...file.parsed.fault)
      yield
    }
    remembered = known
    rememberedSecrets = secrets
    faults.push(...organisationPlaceFaults(documents.keys(), known.has(ORGANISATION_FILE)))

    const document = documents.get(ORGANISATION_FILE)
    const reading = document === undefined ? null : organisationOf(document)
    if (reading) faults.push(...reading.faults)
    for (const path of documents.keys()) if (isOrganisationFile(path)) documents.delete(path)

    const policies: Policy[] = []
    for (const [path, document] of documents) {
      const file = known.get(path)
      if (file === undefined) continue
      if (file.read?.against !== reading) file.read = { against: reading, ...readPolicy(path, document, reading) }
      faults.push(...file.read.faults)
      const { policy, named } = file.read
      if (policy) {
        const whole = named.length === 0 ? { policy, faults: [] } : withFiles(policy, named, secrets)
        policies.push(whole.policy)
        faults.push(...whole.faults)
      }
      yield
    }
    faults.push(...(yield* grantNameSteps(documents, reading?.issuerNames ?? [])))
    if (faults.length > 0 || !reading?.organisation) return fail(sortedFaults(faults))

    const version = yield* versionOf(all)
    return ok(policySet(version, reading.organisation, policies))
  }

  return { load: (files) => atOnce(steps(files)), steps }
}

interface Versioned {
  readonly bytes: Uint8Array
  /** SHA-256 of the bytes, hex, once a version needed it. */
  digest?: string
}

/** What came of one file, for as long as its bytes stay as they are. */
interface KnownFile extends Versioned {
  readonly parsed: ReturnType<typeof parseYaml>
  /** The policy that it holds, as one organisation file makes it. */
  read?: PolicyReading & { readonly against: OrganisationReading | null }
}

function knownFile(path: string, bytes: Uint8Array): KnownFile {
  return { bytes, parsed: parseYaml(path, bytes) }
}

/** The same of a file of secrets. */
type KnownSecrets = Versioned & SecretsFile

function knownSecrets(path: string, bytes: Uint8Array, providers: ProviderSchemaTable): KnownSecrets {
  return { bytes, ...readSecrets(path, bytes, providers) }
}

const isOrganisationFile = (path: string) => path === ORGANISATION_FILE || path.endsWith(`/${ORGANISATION_FILE}`)

/** That there is one organisation file, at the root, and nowhere else. */
function organisationPlaceFaults(paths: Iterable<string>, found: boolean): PolicyFault[] {
  const faults: PolicyFault[] = []
  for (const path of paths) {
    if (path === ORGANISATION_FILE || !isOrganisationFile(path)) continue
    const message = `There is one organisation file, ${ORGANISATION_FILE} at the folder's root: move or rename this one.`
    faults.push(fault(path, FILE_START, "organisation_misplaced", message))
  }
  if (!found) {
    const message = `The folder has no ${ORGANISATION_FILE} at its root, which says whom the organisation trusts: add it.`
    faults.push(fault(ORGANISATION_FILE, FILE_START, "organisation_missing", message))
  }
  return faults
}

/**
 * SHA-256 over what `sha256sum` prints of the files, in the order of their paths: each one's digest, two spaces, its path
 * and a line feed. No two folders read alike, because no path that loads holds a line break or a backslash, and what a
 * file's digest was is not computed again.
 */
function* versionOf(files: ReadonlyMap<string, Versioned>): Steps<string> {
  const listing = sha256.create()
  const encoder = new TextEncoder()
  for (const [path, file] of files) {
    file.digest ??= bytesToHex(sha256(file.bytes))
    listing.update(encoder.encode(`${file.digest}  ${path}\n`))
    yield
  }
  return bytesToHex(listing.digest())
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one === other) return true
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false
  return true
}
