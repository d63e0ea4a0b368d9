import { StsRefusal } from "./answer.ts"
import type { AssumeRoleCall } from "./request.ts"
import type { WebIdentity } from "./web-identity.ts"

/** A role that exists, and whom its trust policy lets in. */
export interface Role {
  readonly arn: string
  /** What its account's OIDC provider is called: the broker's URL. */
  readonly issuer: string
  /** The provider's client ids. */
  readonly audiences: readonly string[]
  /** Condition on `<issuer>:sub`, as IAM's operators of these names. */
  readonly subject:
    | { readonly StringEquals: string | readonly string[] }
    | { readonly StringLike: string | readonly string[] }
  /** The trust policy allows `sts:TagSession` too. Without it a token that carries tags is refused, as AWS does. */
  readonly tagSession: boolean
  /** 3600 when left out, as for a role nobody configured. */
  readonly maxSessionDuration?: number
}

/**
 * Decides whether a verified token may have the role.
 * @throws {StsRefusal} as STS: `AccessDenied` without a word on which condition failed
 */
export function authorise(role: Role, call: AssumeRoleCall, identity: WebIdentity): void {
  if (!meetsCondition(role.subject, identity.subject)) {
    throw new StsRefusal("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
  }
  if (Object.keys(identity.tags).length > 0 && !role.tagSession) {
    throw new StsRefusal("AccessDenied", "Not authorized to perform sts:TagSession")
  }
  if (call.durationSeconds > (role.maxSessionDuration ?? 3600)) {
    throw new StsRefusal(
      "ValidationError",
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )
  }
}

function meetsCondition(condition: Role["subject"], value: string): boolean {
  if ("StringEquals" in condition) return [condition.StringEquals].flat().includes(value)
  return [condition.StringLike].flat().some((pattern) => isLike(pattern, value))
}

/** IAM's StringLike: `*` is any characters, `?` any single one, the rest itself, case included. */
export function isLike(pattern: string, value: string): boolean {
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]")
  return new RegExp(`^(?:${source})$`, "u").test(value)
}
