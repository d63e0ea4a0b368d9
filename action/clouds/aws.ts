import { type Credential, unusable, valueNamed } from "../answer.ts"
import { names } from "./variables.ts"

/** A session as AWS's SDKs read it from an HTTP endpoint (docs.aws.amazon.com/sdkref: container credential provider). */
export interface Session {
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
  readonly Token: string
  /** ISO 8601, UTC. */
  readonly Expiration: string
}

/** The values of a credential of the format `aws-session` that make up the session. */
export const SESSION_VALUES = names("access-key-id secret-access-key session-token")
const REGION = /^[a-z0-9-]{1,64}$/

/** The variable without which AWS's SDKs read no other key variable. */
export const KEY_VARIABLE = "AWS_ACCESS_KEY_ID"
/** Both names of the session token. botocore reads the older one, `AWS_SECURITY_TOKEN`, first. */
const TOKEN_VARIABLES = ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"]
/** botocore reads the older name first, and JavaScript's SDK knows only the newer one. */
export const PROFILE_VARIABLES = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]
export const REGION_VARIABLES = ["AWS_REGION", "AWS_DEFAULT_REGION"]
export const FILE_VARIABLES = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]

/** @throws {ActionError} `answer_unusable` */
export function readSession(credential: Credential): Session {
  const session = {
    AccessKeyId: valueNamed(credential, "access-key-id") ?? "",
    SecretAccessKey: valueNamed(credential, "secret-access-key") ?? "",
    Token: valueNamed(credential, "session-token") ?? "",
    Expiration: credential.expiresAt ?? "",
  }
  if (Object.values(session).includes("")) throw unusable(`the session of ${credential.grant} is not complete`)
  return session
}

/** The region of a profile; null when the credential names none. */
export function regionOf(credential: Credential): string | null {
  const region = valueNamed(credential, "region") ?? ""
  return REGION.test(region) ? region : null
}

/**
 * Session tokens that do not belong to the keys among these variables. SDKs would sign with the new key and another token, and
 * AWS refuses that.
 */
export const foreignTokens = (variables: ReadonlyMap<string, string>): readonly string[] =>
  variables.has(KEY_VARIABLE) ? TOKEN_VARIABLES.filter((name) => !variables.has(name)) : []

/** Variables of the job with which one command would not sign with the keys among `delivered`: other tokens, and profiles. */
export const besideKeys = (delivered: ReadonlyMap<string, string>): readonly string[] =>
  delivered.has(KEY_VARIABLE) ? [...foreignTokens(delivered), ...PROFILE_VARIABLES] : []
