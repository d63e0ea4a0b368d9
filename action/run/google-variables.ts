import { join } from "node:path"
import type { Credential } from "../answer.ts"
import type { PlannedFile } from "../deliver/files.ts"
import { externalAccount } from "../federated.ts"

/** One grant with which Google's tools log in themselves. */
export interface GoogleGrant {
  readonly credential: Credential
  /** Where they fetch the broker's token. */
  readonly url: string
}

const names = (text: string): ReadonlySet<string> => new Set(text.split(" "))

/**
 * Variables from which a client library, gcloud or Terraform's provider would take another credential, or another account, and
 * those that the plan sets.
 */
export const GOOGLE_RIVALS = names(
  "GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CREDENTIALS GOOGLE_CLOUD_KEYFILE_JSON GCLOUD_KEYFILE_JSON GOOGLE_OAUTH_ACCESS_TOKEN GOOGLE_IMPERSONATE_SERVICE_ACCOUNT GOOGLE_BACKEND_CREDENTIALS GOOGLE_BACKEND_IMPERSONATE_SERVICE_ACCOUNT GOOGLE_GHA_CREDS_PATH CLOUDSDK_AUTH_ACCESS_TOKEN CLOUDSDK_AUTH_ACCESS_TOKEN_FILE CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT CLOUDSDK_CORE_ACCOUNT CLOUDSDK_ACTIVE_CONFIG_NAME CLOUDSDK_CONFIG NO_GCE_CHECK METADATA_SERVER_DETECTION DAYPASS_GOOGLE_FOLDER",
)

/**
 * How the command finds the logins: a file of application default credentials for each grant. A single one is the default, by
 * the variables that client libraries and gcloud read. Of several, none is: which account a command works as must be written
 * in the workflow.
 *
 * Tools look into gcloud's configuration and at the machine's own account, too. Both are put out of reach, so that a command
 * fails instead of working with credentials that were not granted, and so that no access token stays in the home folder.
 */
export function planGoogle(
  grants: readonly GoogleGrant[],
  has: { readonly folder: string; readonly authorization: string },
): { readonly variables: ReadonlyMap<string, string>; readonly files: readonly PlannedFile[] } {
  const [first, ...more] = grants
  if (first === undefined) return { variables: new Map(), files: [] }
  const pathOf = ({ credential }: GoogleGrant) => join(has.folder, `${credential.grant}.json`)
  const files = grants.map((one): PlannedFile => {
    const text = externalAccount(one.credential, { url: one.url, authorization: has.authorization })
    return { path: pathOf(one), bytes: Buffer.from(text), mode: 0o600 }
  })
  const single: [string, string][] = [
    ["GOOGLE_APPLICATION_CREDENTIALS", pathOf(first)],
    ["CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", pathOf(first)],
  ]
  return {
    variables: new Map([
      ...(more.length === 0 ? single : []),
      ["DAYPASS_GOOGLE_FOLDER", has.folder],
      // No grant's name has a dot, so no grant's file has this name.
      ["CLOUDSDK_CONFIG", join(has.folder, ".gcloud")],
      ["NO_GCE_CHECK", "true"],
      ["METADATA_SERVER_DETECTION", "none"],
    ]),
    files,
  }
}
