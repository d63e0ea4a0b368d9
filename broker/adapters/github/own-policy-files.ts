import { FILE_START, fault, quote } from "../../core/policy/faults.ts"
import { grantNameFaults } from "../../core/policy/grant-names.ts"
import { type PolicyInput, parsedFiles, sortedFaults } from "../../core/policy/load.ts"
import type { Grant, Organisation, Policy, PolicyFault } from "../../core/policy/model.ts"
import { readingOf } from "../../core/policy/organisation.ts"
import { readPolicy } from "../../core/policy/policy-file.ts"
import type { ProviderSchemaTable } from "../../core/policy/provider-schemas.ts"
import { nodeAt, type YamlDocument } from "../../core/policy/yaml.ts"
import { fail, ok, type Result } from "../../core/result.ts"

/** The repository that contains the files, as its host identifies it. */
export interface PolicyHost {
  /** The issuer's name in the organisation file. */
  readonly issuer: string
  /** owner/name. */
  readonly repository: string
  readonly repositoryId: string
}

/**
 * Loads the policies in a repository's `.github/daypass/`. Returns all faults, or the policies, which count only under a
 * boundary.
 *
 * Every file must name the repository that contains it, by name and by id. So its authors cannot decide about another one. Its
 * issuer goes without saying: an organisation that lists one more CI must not make each repository's files faulty.
 */
export function loadRepositoryPolicies(
  files: readonly PolicyInput[],
  host: PolicyHost,
  organisation: Organisation,
  providers: ProviderSchemaTable,
): Result<readonly Policy[], readonly PolicyFault[]> {
  const { documents, secrets, faults } = parsedFiles(files)
  for (const path of secrets) faults.push(fault(path, FILE_START, "file_refused", NO_SECRETS))
  const reading = readingOf(organisation, providers)
  const policies: Policy[] = []
  for (const [file, document] of documents) {
    const { policy, faults: found, named } = readPolicy(file, document, reading, host.issuer)
    faults.push(
      ...found,
      ...named.map(({ grant, at }) => fault(file, at, "grant_conflict", `${grant} ${NAMES_SECRETS}`)),
    )
    if (policy === null) continue
    const foreign = foreignFaults(policy, document, host)
    faults.push(...foreign)
    if (foreign.length > 0) continue
    const grants = [...policy.grants].map(([name, grant]) => [name, held(grant, providers)] as const)
    policies.push({ ...policy, origin: "repository", grants: new Map(grants) })
  }
  faults.push(...grantNameFaults(documents, [host.issuer]))
  return faults.length > 0 ? fail(sortedFaults(faults)) : ok(policies)
}

/** A grant of a repository's own policy reaches beyond repositories only where a boundary says so in words. */
function held(grant: Grant, providers: ProviderSchemaTable): Grant {
  const mustBeNamed = providers.get(grant.connection.provider)?.organisationWide
  return mustBeNamed === undefined ? grant : { ...grant, mustBeNamed }
}

const NO_SECRETS = "Secrets files are read only from the organisation's policy folder: remove this file."
const NAMES_SECRETS =
  "names a secrets file, which is allowed only in the organisation's policy folder: move the grant there."

function foreignFaults({ file, issuer, unit, target }: Policy, { root }: YamlDocument, host: PolicyHost) {
  const say = (key: string, is: string, of: string) => {
    const message = `${key} must be ${quote(of)}, the value for the repository that contains this file, but is ${quote(is)}.`
    return fault(file, nodeAt(root, [key]).at, "host_mismatch", message)
  }
  if (target.kind === "owner") {
    const message =
      "A repository's own policy covers only that repository: write its full name, with its repository_id."
    return [fault(file, nodeAt(root, ["repository"]).at, "host_mismatch", message)]
  }
  return [
    ...(issuer === host.issuer ? [] : [say("issuer", issuer, host.issuer)]),
    ...(unit === host.repository ? [] : [say("repository", unit, host.repository)]),
    ...(target.id === host.repositoryId ? [] : [say("repository_id", target.id, host.repositoryId)]),
  ]
}
