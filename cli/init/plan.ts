import { loadPolicySet, ORGANISATION_FILE } from "../../broker/core/policy/load.ts"
import type { Connection, IssuerConfig, Organisation, PolicyFault } from "../../broker/core/policy/model.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { identityTokenSubject } from "../../broker/wire/subject.ts"
import type { RepositoryFacts } from "../github/repository.ts"
import type { LoadedFolder } from "../policies.ts"
import {
  connectionLines,
  FIRST_ISSUER,
  type FirstGrant,
  firstGrantOf,
  organisationText,
  policyPath,
  policyText,
  tokenConnection,
  tokenGrant,
  vendorConnection,
  vendorGrant,
} from "./text.ts"
import type { Given, Vendor } from "./vendors.ts"

/** A file to write: its path in the policy folder, and its text. */
export interface NewFile {
  readonly path: string
  readonly text: string
}

export interface Plan {
  readonly files: readonly NewFile[]
  /** The `sub` of the broker's identity tokens for the first grant. */
  readonly sub: string
  /** Of the policy. */
  readonly grant: string
}

export interface Wish {
  readonly environment: string | undefined
  readonly connection: string | undefined
  /** The URL of the issuer whose jobs these are. */
  readonly issuer: string
  /** What a person has said of the vendor; absent where the first grant is for the connections of the folder. */
  readonly vendor?: { readonly vendor: Vendor; readonly given: Given }
}

const DEFAULT_CONNECTION = "oidc"

/**
 * The files of a repository's first policy, with which the folder loads. The fault is a sentence, or the faults that would
 * keep the folder from loading.
 */
export function planFor(
  loaded: LoadedFolder | null,
  facts: RepositoryFacts,
  wish: Wish,
): Result<Plan, string | readonly PolicyFault[]> {
  const inputs = loaded?.inputs ?? []
  const exists = inputs.some(({ path }) => path === ORGANISATION_FILE)
  if (exists && loaded?.result.ok === false) return loaded.result
  const plan =
    exists && loaded?.result.ok
      ? planForFolder(loaded.result.value.organisation, facts, wish)
      : planOfNewFolder(facts, wish)
  if (!plan.ok) return plan
  const bytes = plan.value.files.map(({ path, text }) => ({ path, bytes: new TextEncoder().encode(text) }))
  // An existing file at the same path is left out here: it is never overwritten, and its presence is reported later.
  const others = inputs.filter(({ path }) => !bytes.some((file) => file.path === path))
  const together = loadPolicySet([...others, ...bytes], PROVIDERS)
  return together.ok ? plan : together
}

/** The files of a new folder: the organisation file and the first policy. */
function planOfNewFolder(facts: RepositoryFacts, wish: Wish): Result<Plan, string> {
  const connection = connectionFor(facts, wish)
  const grant =
    wish.vendor === undefined
      ? tokenGrant(connection.name)
      : vendorGrant(wish.vendor.vendor, wish.vendor.given, connection.name)
  const organisation = { path: ORGANISATION_FILE, text: organisationText(facts, { issuer: wish.issuer, connection }) }
  return ok({
    files: [organisation, policyFile(facts, wish, grant)],
    sub: subjectOf(FIRST_ISSUER, facts, wish, grant),
    grant: grant.name,
  })
}

function connectionFor(facts: RepositoryFacts, { connection, vendor: wanted }: Wish) {
  if (wanted === undefined) return tokenConnection(connection ?? DEFAULT_CONNECTION)
  return vendorConnection(wanted.vendor, wanted.given, facts, connection ?? wanted.vendor.connection)
}

/** One more policy, for the connections and issuers of the existing organisation file. */
function planForFolder(organisation: Organisation, facts: RepositoryFacts, wish: Wish): Result<Plan, string> {
  const issuer = issuerFor(organisation, wish.issuer)
  if (issuer === null) {
    return fail(`${ORGANISATION_FILE} lists no issuer with the url ${wish.issuer}. Add it, or set GITHUB_API_URL`)
  }
  const unlisted = ownerFault(issuer, facts)
  if (unlisted !== null) return fail(unlisted)
  const grant =
    wish.vendor === undefined
      ? grantFor(organisation, facts, wish.connection)
      : vendorGrantFor(organisation, facts, wish, wish.vendor)
  if (!grant.ok) return grant
  return ok({
    files: [policyFile(facts, wish, grant.value, organisation.issuers.size > 1 ? issuer.name : undefined)],
    sub: subjectOf(issuer.name, facts, wish, grant.value),
    grant: grant.value.name,
  })
}

function issuerFor({ issuers }: Organisation, url: string): IssuerConfig | null {
  const all = [...issuers.values()]
  const [only] = all
  // The issuer of an enterprise has a path below github.com's issuer, and the same API.
  return all.find((issuer) => issuer.url === url) ?? (all.length === 1 && only?.url.startsWith(`${url}/`) ? only : null)
}

/** Why this issuer's policies cannot apply to the repository's owner; null when they can. */
function ownerFault({ name, owners }: IssuerConfig, { owner, ownerId }: RepositoryFacts): string | null {
  const listed = [...owners].find(([known]) => known.toLowerCase() === owner.toLowerCase())
  if (listed !== undefined && listed[1] !== ownerId) {
    return `${ORGANISATION_FILE} lists the owner ${owner} with the id ${listed[1]}, but the owner with this name now has the id ${ownerId}. Find out which owner is the right one before you grant anything`
  }
  if ([...owners.values()].includes(ownerId)) return null
  return `${ORGANISATION_FILE} does not list the owner ${owner}, and only jobs of listed owners can get anything. Add ${owner}: "${ownerId}" to the owners of the issuer ${name}`
}

function grantFor(
  { connections }: Organisation,
  { name }: RepositoryFacts,
  wanted: string | undefined,
): Result<FirstGrant, string> {
  const usable = (connection: Connection) => firstGrantOf(connection, name)
  if (wanted === undefined) {
    const first = [...connections.values()].map(usable).find((grant) => grant !== null)
    return first
      ? ok(first)
      : fail(
          `init can write a first grant only for an identity-token or aws connection, and ${ORGANISATION_FILE} has none. Add one`,
        )
  }
  const connection = connections.get(wanted)
  if (connection === undefined) {
    return fail(
      `${ORGANISATION_FILE} has no connection ${wanted}. It has: ${[...connections.keys()].join(", ") || "none"}`,
    )
  }
  const grant = usable(connection)
  return grant
    ? ok(grant)
    : fail(
        `init cannot write a first grant for a connection of the provider ${connection.provider}. Give --connection an identity-token or aws connection, and change the grant afterwards`,
      )
}

/** A grant of the vendor's connection in the organisation file, which init does not change. */
function vendorGrantFor(
  { connections }: Organisation,
  facts: RepositoryFacts,
  wish: Wish,
  { vendor, given }: NonNullable<Wish["vendor"]>,
): Result<FirstGrant, string> {
  const ofVendor = [...connections.values()].filter(({ provider }) => provider === vendor.provider)
  const connection = ofVendor.find(({ name }) => name === (wish.connection ?? name))
  if (connection !== undefined) return ok(vendorGrant(vendor, given, connection.name))
  const missing = connectionLines(connectionFor(facts, wish)).map((line) => `\n  ${line}`)
  return fail(
    `${ORGANISATION_FILE} has no such connection of the provider ${vendor.provider}, and init changes no file. Add this below connections, and run it again:${missing.join("")}`,
  )
}

function subjectOf(issuer: string, { id }: RepositoryFacts, { environment }: Wish, grant: FirstGrant): string {
  return identityTokenSubject(
    { issuer, unitKind: "repository", unitId: id, environment: environment ?? null },
    grant.name,
  )
}

function policyFile(facts: RepositoryFacts, { environment }: Wish, grant: FirstGrant, issuer?: string): NewFile {
  const options = { grant, ...(environment !== undefined && { environment }), ...(issuer !== undefined && { issuer }) }
  return { path: policyPath(facts, environment), text: policyText(facts, options) }
}
