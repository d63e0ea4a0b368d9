import type { Credential } from "./answer.ts"
import { ActionError } from "./failure.ts"

/** A session as AWS's SDKs read it from an HTTP endpoint (docs.aws.amazon.com/sdkref: container credential provider). */
export interface Session {
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
  readonly Token: string
  /** ISO 8601, UTC. */
  readonly Expiration: string
}

/** The values of a credential of the format `aws-session` that make up the session. */
export const SESSION_VALUES: ReadonlySet<string> = new Set(["access-key-id", "secret-access-key", "session-token"])

/** @throws {ActionError} `answer_unusable` */
export function readSession({ grant, values, expiresAt }: Credential): Session {
  const value = (name: string) => values.find((one) => one.name === name)?.value ?? ""
  const session = {
    AccessKeyId: value("access-key-id"),
    SecretAccessKey: value("secret-access-key"),
    Token: value("session-token"),
    Expiration: expiresAt ?? "",
  }
  if (Object.values(session).includes("")) {
    throw new ActionError(
      "answer_unusable",
      `The broker's answer cannot be used: the session of ${grant} is not complete.`,
    )
  }
  return session
}
