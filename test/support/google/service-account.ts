import { ApiRefusal, readMembers } from "./answer.ts"
import { type IssuedToken, isScope, type Tokens } from "./tokens.ts"

const DEFAULT_LIFETIME_SECONDS = 3_600
const MAX_LIFETIME_SECONDS = 3_600
const MAX_EXTENDED_SECONDS = 43_200
const MEMBERS = ["delegates", "scope", "lifetime"]
const NAME = /^projects\/-\/serviceAccounts\/([^/:]+)$/
const LOGIN_SCOPES = ["iam", "cloud-platform"].map((name) => `https://www.googleapis.com/auth/${name}`)

const TOKEN_CREATOR = "roles/iam.serviceAccountTokenCreator"
/** Holds `iam.serviceAccounts.getAccessToken`, and not `implicitDelegation`, which a chain needs. */
const WORKLOAD_IDENTITY_USER = "roles/iam.workloadIdentityUser"

/** A service account, and whom its IAM policy lets have tokens of it. */
export interface ServiceAccount {
  readonly email: string
  readonly bindings: readonly {
    readonly role: typeof TOKEN_CREATOR | typeof WORKLOAD_IDENTITY_USER
    readonly members: readonly string[]
  }[]
  /** The organisation policy `iam.allowServiceAccountCredentialLifetimeExtension` names it. */
  readonly lifetimeExtension?: boolean
  readonly disabled?: boolean
}

/** Mints as `projects.serviceAccounts.generateAccessToken` does. @throws {ApiRefusal} */
export function generateAccessToken(
  name: string,
  request: { readonly contentType?: string | undefined; readonly authorization?: string | undefined },
  text: string | null,
  accounts: ReadonlyMap<string, ServiceAccount>,
  tokens: Tokens,
): { readonly accessToken: string; readonly expireTime: string } {
  const body = readMembers(request.contentType, text, MEMBERS)
  const holder = tokens.holder(/^Bearer (.+)$/.exec(request.authorization ?? "")?.[1] ?? "")
  if (!holder) throw new ApiRefusal("UNAUTHENTICATED", "Request had invalid authentication credentials.")
  if (!holder.scopes.some((scope) => LOGIN_SCOPES.includes(scope)))
    throw new ApiRefusal(
      "PERMISSION_DENIED",
      "Request had insufficient authentication scopes.",
      "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    )
  const delegates = list(body["delegates"] ?? []).map(emailIn)
  const email = emailIn(name)
  const account = authorised(holder, [...delegates, email], accounts)
  const scopes = list(body["scope"] ?? [])
  if (scopes.length === 0 || !scopes.every(isScope))
    throw new ApiRefusal("INVALID_ARGUMENT", "Request contains an invalid argument.")
  const lifetimeSeconds = lifetimeOf(body["lifetime"], account)
  const issued = tokens.issue({
    kind: "service-account",
    members: [`serviceAccount:${email}`],
    scopes,
    lifetimeSeconds,
    delegates,
  })
  return {
    accessToken: issued.token,
    expireTime: new Date(issued.endsAt).toISOString().replace(/\.[0-9]+Z$/, "Z"),
  }
}

/** The account at the chain's end, if each link lets the one before it. An account that is not there lets nobody. */
function authorised(
  holder: IssuedToken,
  chain: readonly string[],
  accounts: ReadonlyMap<string, ServiceAccount>,
): ServiceAccount {
  const denied = () =>
    new ApiRefusal(
      "PERMISSION_DENIED",
      "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
      "IAM_PERMISSION_DENIED",
    )
  let before = holder.members
  let last: ServiceAccount | undefined
  for (const [at, email] of chain.entries()) {
    const account = accounts.get(email)
    const roles: readonly string[] = at < chain.length - 1 ? [TOKEN_CREATOR] : [TOKEN_CREATOR, WORKLOAD_IDENTITY_USER]
    const lets = account?.bindings.some(
      ({ role, members }) => roles.includes(role) && members.some((member) => before.includes(member)),
    )
    if (!account || !lets) throw denied()
    if (account.disabled) throw new ApiRefusal("FAILED_PRECONDITION", "Service account is disabled.")
    before = [`serviceAccount:${email}`]
    last = account
  }
  if (!last) throw denied()
  return last
}

function lifetimeOf(text: unknown, { email, lifetimeExtension = false }: ServiceAccount): number {
  if (text === undefined) return DEFAULT_LIFETIME_SECONDS
  const seconds = /^([0-9]{1,9})(?:\.[0-9]{1,9})?s$/.exec(String(text))?.[1]
  if (seconds === undefined) throw new ApiRefusal("INVALID_ARGUMENT", `Invalid value at 'lifetime' (Duration).`)
  const lifetime = Number(seconds)
  if (lifetime === 0) throw new ApiRefusal("INVALID_ARGUMENT", "Lifetime of access token must be larger then zero.")
  if (lifetime > (lifetimeExtension ? MAX_EXTENDED_SECONDS : MAX_LIFETIME_SECONDS))
    throw new ApiRefusal(
      "INVALID_ARGUMENT",
      `Access tokens for service account ${email} can not have lifetimes of more than 1 hour.`,
    )
  return lifetime
}

function list(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value
  throw new ApiRefusal("INVALID_ARGUMENT", "Invalid JSON payload received. A list of texts is wanted.")
}

function emailIn(name: string): string {
  const email = NAME.exec(name)?.[1]
  if (email === undefined) throw new ApiRefusal("INVALID_ARGUMENT", `Invalid name: ${name}.`)
  return email
}
