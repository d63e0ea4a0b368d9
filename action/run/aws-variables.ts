import { join } from "node:path"
import type { PlannedFile } from "../deliver/files.ts"

/** One grant whose session the command fetches itself. */
export interface AwsGrant {
  readonly grant: string
  /** The region of its profile; empty when the answer names none. */
  readonly region: string
  readonly url: string
}

export interface AwsPlan {
  readonly variables: ReadonlyMap<string, string>
  readonly files: readonly PlannedFile[]
}

const names = (text: string): ReadonlySet<string> => new Set(text.split(" "))

/** Variables from which an SDK would take other credentials before it asks the endpoint, or instead of a profile. */
export const RIVALS = names(
  "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_CREDENTIAL_EXPIRATION AWS_PROFILE AWS_DEFAULT_PROFILE AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
)

/** Variables that the plan sets, and that would lead away from it with another value. */
export const REPLACED = names("AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_EC2_METADATA_DISABLED")

const REGION = /^[a-z0-9-]{1,64}$/

/**
 * How the command finds the sessions: a single one at the endpoint that two variables name, several as one profile each.
 * An endpoint can be set for one session only, so a profile asks through `credential_process`. No profile is the default
 * one: which account a command works in must be written in the workflow.
 *
 * SDKs look into the configuration files and at the machine's own role, too. Both are put out of reach, so that a command
 * fails instead of working with credentials that were not granted.
 */
export function planAws(
  grants: readonly AwsGrant[],
  has: { readonly folder: string; readonly authorization: string; readonly node: string; readonly helper: string },
): AwsPlan {
  const at = (name: string) => join(has.folder, name)
  const file = (name: string, text: string): PlannedFile => ({ path: at(name), bytes: Buffer.from(text), mode: 0o600 })
  const [first, ...more] = grants
  if (first === undefined) return { variables: new Map(), files: [] }
  const common: [string, string][] = [
    ["AWS_CONFIG_FILE", at("config")],
    ["AWS_SHARED_CREDENTIALS_FILE", at("credentials")],
    ["AWS_EC2_METADATA_DISABLED", "true"],
  ]
  if (more.length === 0) {
    const endpoint: [string, string][] = [
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI", first.url],
      ["AWS_CONTAINER_AUTHORIZATION_TOKEN", has.authorization],
    ]
    return { variables: new Map([...endpoint, ...common]), files: [file("config", ""), file("credentials", "")] }
  }
  const profiles = grants.map(({ grant, region }) => {
    const quoted = [has.node, has.helper, at(`${grant}.json`)].map((part) => `"${part}"`).join(" ")
    // The last word has no quotes: AWS's SDK for Go removes the first and the last one of a value that begins and ends with one.
    const lines = [`[profile ${grant}]`, `credential_process = ${quoted} ${grant}`]
    return [...lines, ...(REGION.test(region) ? [`region = ${region}`] : []), ""].join("\n")
  })
  const questions = grants.map(({ grant, url }) =>
    file(`${grant}.json`, JSON.stringify({ url, authorization: has.authorization })),
  )
  return {
    variables: new Map(common),
    files: [file("config", profiles.join("\n")), file("credentials", ""), ...questions],
  }
}
