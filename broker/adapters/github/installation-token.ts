import type * as z from "zod"
import { Secret } from "../../core/secret.ts"
import { failed, type NoAccess, noAccess, type Refusal } from "../../github/answer.ts"
import { installationSchema, installationTokenSchema, tokensPath } from "../../github/installation.ts"
import type { Clock } from "../../ports/clock.ts"
import type { Api } from "./api.ts"

/** The only permissions that the broker requests, each only for reading. */
export type Permission = "contents" | "actions" | "secret_scanning_alerts"

/** A token for one repository and one permission only. */
export interface InstallationToken {
  readonly outcome: "ok"
  readonly token: Secret<string>
  readonly installationId: number
  /** On `Clock.elapsed()`. */
  readonly endsAt: number
}

export interface TokenRequest {
  /** Decimal; already checked. */
  readonly repositoryId: string
  readonly permission: Permission
  /** The App's own token. */
  readonly app: Secret<string>
  readonly clock: Clock
  readonly deadline: number
}

const MAX_BYTES = 256 * 1024

/**
 * Finds the installation on a repository, by the repository's id, and requests a token that can read one kind of resource
 * in that repository. GitHub's answer is compared with the request.
 */
export async function mintInstallationToken(request: TokenRequest, api: Api): Promise<InstallationToken | Refusal> {
  const { repositoryId, permission, app: bearer, deadline } = request
  const common = { bearer, deadline, maxBytes: MAX_BYTES }

  const found = await api({ ...common, method: "GET", path: `/repositories/${repositoryId}/installation` })
  if (found.outcome !== "ok") return refusalOf(found)
  const installation = installationSchema.safeParse(found.body)
  if (!installation.success) return failed("described the App's installation in an unexpected form")
  const { id, permissions, suspended_at: suspendedAt } = installation.data
  if (suspendedAt) return noAccess("suspended")
  if (!canRead(permissions, permission)) return noAccess("permission")

  const minted = await api({
    ...common,
    method: "POST",
    path: tokensPath(id),
    body: { repository_ids: [Number(repositoryId)], permissions: { [permission]: "read" } },
  })
  if (minted.outcome !== "ok") return refusalOf(minted)
  const given = installationTokenSchema.safeParse(minted.body)
  if (!given.success) return failed("sent a token in an unexpected form")
  return checkedToken(given.data, id, request)
}

function checkedToken(
  given: z.infer<typeof installationTokenSchema>,
  installationId: number,
  { repositoryId, permission, clock }: TokenRequest,
): InstallationToken | Refusal {
  const remainingMs = Date.parse(given.expires_at) - clock.now().getTime()
  if (!(remainingMs > 0)) return failed("sent a token that has already expired; check the broker's clock")
  if (!canRead(given.permissions, permission)) return noAccess("permission")
  const others = given.repositories?.length !== 1 || given.repositories[0]?.id !== Number(repositoryId)
  if (given.repositories !== undefined && others) return failed("sent a token for other repositories than requested")
  return { outcome: "ok", token: new Secret(given.token), installationId, endsAt: clock.elapsed() + remainingMs }
}

const READING: readonly unknown[] = ["read", "write", "admin"]

const canRead = (permissions: Readonly<Record<string, string>>, permission: Permission) =>
  Object.hasOwn(permissions, permission) && READING.includes(permissions[permission])

/** On these two routes, 404 means that the App is not installed, and 422 that the installation lacks the permission. */
function refusalOf(answer: Exclude<Awaited<ReturnType<Api>>, { readonly outcome: "ok" }>): Refusal {
  if (answer.outcome === "no-access") return answer.why === "not-visible" ? NOT_INSTALLED : answer
  if (answer.outcome === "failed") return answer.status === 422 ? noAccess("permission") : answer
  if (answer.outcome === "rate-limited") return answer
  return failed("answered about the App's installation in an unexpected form")
}

const NOT_INSTALLED: NoAccess = noAccess("not-installed")
