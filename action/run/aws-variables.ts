import { join } from "node:path"
import type { PlannedFile } from "../deliver/files.ts"
import { ActionError } from "../failure.ts"
import { commandLine } from "../files/command-line.ts"

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

const UNWRITABLE =
  "One command cannot have several AWS sessions on this runner: the path of its folders or of its Node has characters that AWS's SDKs or their shells read differently. Use one step for each session."

/**
 * How the command finds the sessions: a single one at the endpoint that two variables name, several as one profile each.
 * An endpoint can be set for one session only, so a profile asks through `credential_process`. No profile is the default
 * one: which account a command works in must be written in the workflow.
 *
 * SDKs look into the configuration files and at the machine's own role, too. Both are put out of reach, so that a command
 * fails instead of working with credentials that were not granted.
 * @throws {ActionError} `delivery_refused` for several sessions, on a runner whose paths no command line can have
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
    // The name comes last: AWS's SDK for Go removes the first and the last quote of a value that begins and ends with one.
    const command = commandLine([has.node, has.helper, at(`${grant}.json`), grant], process.platform)
    if (command === null) throw new ActionError("delivery_refused", UNWRITABLE)
    const lines = [`[profile ${grant}]`, `credential_process = ${command}`]
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
