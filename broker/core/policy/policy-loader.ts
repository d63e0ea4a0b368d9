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
import { parseUsualYaml } from "./usual-yaml.ts"
import type { YamlDocument } from "./yaml.ts"

type Loaded = Result<PolicySet, readonly PolicyFault[]>

/** Loads one folder repeatedly. */
export interface PolicyLoader {
  /** The same result as `loadPolicySet` for these files, whatever was loaded before. */
  load(files: Iterable<PolicyInput>): Loaded
  /** The same work with a pause after every file, so that the caller can answer requests in between. One run at a time. */
  steps(files: Iterable<PolicyInput>): Steps<Loaded>
  /** Parses a file. One with the same bytes as in the last load is not parsed again. */
  parse: typeof parseUsualYaml
}

/**
 * Makes a loader that remembers the result for every file, so that one changed file among thousands costs the work for one.
 *
 * A file is parsed again when its bytes change, and checked again when its bytes or the organisation file change. Names of
 * grants can refer to other files, so they are checked across all files each time. Deleted files are forgotten. Callers
 * must not write to bytes that they passed in: the same array counts as unchanged.
 */
export function createPolicyLoader(providers: ProviderSchemaTable): PolicyLoader {
  let remembered: ReadonlyMap<string, KnownFile> = new Map()
  let rememberedSecrets: ReadonlyMap<string, KnownSecrets> = new Map()
  let organisation: { readonly document: YamlDocument; readonly reading: OrganisationReading } | null = null

  const organisationOf = (document: YamlDocument): OrganisationReading => {
    // The same document must give the same object: a policy's result is kept for the reading that it was checked against.
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

  return {
    load: (files) => atOnce(steps(files)),
    steps,
    parse(path, bytes) {
      const file = remembered.get(path)
      return file && sameBytes(file.bytes, bytes) ? file.parsed : parseUsualYaml(path, bytes)
    },
  }
}

interface Versioned {
  readonly bytes: Uint8Array
  /** SHA-256 of the bytes, hex, once a version needed it. */
  digest?: string
}

/** The result for one file, valid until its bytes change. */
interface KnownFile extends Versioned {
  readonly parsed: ReturnType<typeof parseUsualYaml>
  /** Its policy, checked against one organisation file. */
  read?: PolicyReading & { readonly against: OrganisationReading | null }
}

function knownFile(path: string, bytes: Uint8Array): KnownFile {
  return { bytes, parsed: parseUsualYaml(path, bytes) }
}

/** The same for a secrets file. */
type KnownSecrets = Versioned & SecretsFile

function knownSecrets(path: string, bytes: Uint8Array, providers: ProviderSchemaTable): KnownSecrets {
  return { bytes, ...readSecrets(path, bytes, providers) }
}

const isOrganisationFile = (path: string) => path === ORGANISATION_FILE || path.endsWith(`/${ORGANISATION_FILE}`)

/** Checks that there is exactly one organisation file, at the root. */
function organisationPlaceFaults(paths: Iterable<string>, found: boolean): PolicyFault[] {
  const faults: PolicyFault[] = []
  for (const path of paths) {
    if (path === ORGANISATION_FILE || !isOrganisationFile(path)) continue
    const message = `The only organisation file must be ${ORGANISATION_FILE} at the folder's root: move or rename this file.`
    faults.push(fault(path, FILE_START, "organisation_misplaced", message))
  }
  if (!found) {
    const message = `The organisation file ${ORGANISATION_FILE} is missing at the folder's root: add it. It lists the issuers and owners that the organisation trusts.`
    faults.push(fault(ORGANISATION_FILE, FILE_START, "organisation_missing", message))
  }
  return faults
}

/**
 * SHA-256 over the output of `sha256sum` for the files, in the order of their paths: the digest, two spaces, the path and a
 * line feed for each. Two different folders cannot give the same text, because no path that loads contains a line break or
 * a backslash. A file's digest is computed only once.
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
