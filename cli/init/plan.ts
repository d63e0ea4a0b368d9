import { loadPolicySet, ORGANISATION_FILE } from "../../broker/core/policy/load.ts"
import type { Connection, IssuerConfig, Organisation, PolicyFault } from "../../broker/core/policy/model.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import type { LoadedFolder } from "../policies.ts"
import type { RepositoryFacts } from "./github.ts"
import { type FirstGrant, firstGrantOf, organisationText, policyPath, policyText, tokenGrant } from "./text.ts"

/** A file to be written: its path in the policy folder, and its text. */
export interface NewFile {
  readonly path: string
  readonly text: string
}

export interface Wish {
  readonly environment: string | undefined
  readonly connection: string | undefined
  /** The URL of the issuer whose jobs these are. */
  readonly issuer: string
}

const DEFAULT_CONNECTION = "oidc"

/**
 * The files that give a repository its first policy: with them, the folder loads. A fault is a sentence, or what would
 * keep the folder from loading.
 */
export function planFor(
  loaded: LoadedFolder | null,
  facts: RepositoryFacts,
  wish: Wish,
): Result<readonly NewFile[], string | readonly PolicyFault[]> {
  const inputs = loaded?.inputs ?? []
  const exists = inputs.some(({ path }) => path === ORGANISATION_FILE)
  if (exists && loaded?.result.ok === false) return loaded.result
  const files =
    exists && loaded?.result.ok ? joining(loaded.result.value.organisation, facts, wish) : founding(facts, wish)
  if (!files.ok) return files
  const bytes = files.value.map(({ path, text }) => ({ path, bytes: new TextEncoder().encode(text) }))
  // A file in the way stays, and is not held against the one that would have its place.
  const others = inputs.filter(({ path }) => !bytes.some((file) => file.path === path))
  const together = loadPolicySet([...others, ...bytes], PROVIDERS)
  return together.ok ? files : together
}

/** The first policy of a new folder brings the organisation file with it. */
function founding(facts: RepositoryFacts, wish: Wish): Result<readonly NewFile[], string> {
  const connection = wish.connection ?? DEFAULT_CONNECTION
  const organisation = organisationText(facts, { issuer: wish.issuer, connection })
  return ok([{ path: ORGANISATION_FILE, text: organisation }, policyFile(facts, wish, tokenGrant(connection))])
}

/** A policy more, in terms of the organisation file that is there. */
function joining(organisation: Organisation, facts: RepositoryFacts, wish: Wish): Result<readonly NewFile[], string> {
  const issuer = issuerFor(organisation, wish.issuer)
  if (issuer === null) {
    return fail(`${ORGANISATION_FILE} lists no issuer with the url ${wish.issuer}: add it, or set GITHUB_API_URL`)
  }
  const stranger = strangerFault(issuer, facts)
  if (stranger !== null) return fail(stranger)
  const grant = grantFor(organisation, facts, wish.connection)
  if (!grant.ok) return grant
  return ok([policyFile(facts, wish, grant.value, organisation.issuers.size > 1 ? issuer.name : undefined)])
}

function issuerFor({ issuers }: Organisation, url: string): IssuerConfig | null {
  const all = [...issuers.values()]
  const [only] = all
  // An enterprise's own issuer stands below github.com's, and has the same API.
  return all.find((issuer) => issuer.url === url) ?? (all.length === 1 && only?.url.startsWith(`${url}/`) ? only : null)
}

/** Why this issuer's policies are nothing to the repository's owner; null when they are. */
function strangerFault({ name, owners }: IssuerConfig, { owner, ownerId }: RepositoryFacts): string | null {
  const listed = [...owners].find(([known]) => known.toLowerCase() === owner.toLowerCase())
  if (listed !== undefined && listed[1] !== ownerId) {
    return `${ORGANISATION_FILE} lists the owner ${owner} with the id ${listed[1]}, and the one that has this name now is ${ownerId}: find out which is meant before anything is granted`
  }
  if ([...owners.values()].includes(ownerId)) return null
  return `${ORGANISATION_FILE} does not list the owner ${owner}, and nobody else's jobs get anything: add ${owner}: "${ownerId}" to the owners of the issuer ${name}`
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
          `${ORGANISATION_FILE} has no connection that a first grant can be written for: add an identity-token or aws one`,
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
        `what a grant of ${connection.provider} says is for you to write: name an identity-token or aws connection, and change it then`,
      )
}

function policyFile(facts: RepositoryFacts, { environment }: Wish, grant: FirstGrant, issuer?: string): NewFile {
  const options = { grant, ...(environment !== undefined && { environment }), ...(issuer !== undefined && { issuer }) }
  return { path: policyPath(facts, environment), text: policyText(facts, options) }
}
