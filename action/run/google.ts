import { join } from "node:path"
import { externalAccount, GOOGLE_LOGIN_VALUES, impersonates } from "../clouds/google.ts"
import { names } from "../clouds/variables.ts"
import { ownerFile } from "../deliver/files.ts"
import type { Cloud } from "./cloud.ts"
import { readToken } from "./token.ts"

/** Where the files of several logins are. */
const FOLDER_VARIABLE = "DAYPASS_GOOGLE_FOLDER"

/**
 * How the command finds Google's logins: a file of application default credentials for each grant. A single one is the
 * default, by the variables that client libraries and gcloud read. Of several, none is: which account a command works as must
 * be written in the workflow.
 *
 * Tools look into gcloud's configuration and at the machine's own account, too. Both are put out of reach, so that a command
 * fails instead of working with credentials that were not granted, and so that no access token stays in the home folder.
 */
export const GOOGLE: Cloud = {
  name: "google",
  format: "google-federated",
  gives: "Google login",
  scheme: "bearer",
  loginValues: GOOGLE_LOGIN_VALUES,
  // From these, a client library, gcloud or Terraform's provider would take another credential or another account.
  withheld: names(
    "GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CREDENTIALS GOOGLE_CLOUD_KEYFILE_JSON GCLOUD_KEYFILE_JSON GOOGLE_OAUTH_ACCESS_TOKEN GOOGLE_IMPERSONATE_SERVICE_ACCOUNT GOOGLE_BACKEND_CREDENTIALS GOOGLE_BACKEND_IMPERSONATE_SERVICE_ACCOUNT GOOGLE_GHA_CREDS_PATH CLOUDSDK_AUTH_ACCESS_TOKEN CLOUDSDK_AUTH_ACCESS_TOKEN_FILE CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT CLOUDSDK_CORE_ACCOUNT CLOUDSDK_ACTIVE_CONFIG_NAME CLOUDSDK_CONFIG NO_GCE_CHECK METADATA_SERVER_DETECTION DAYPASS_GOOGLE_FOLDER",
  ),

  /**
   * Clients exchange the token as soon as they have it. With a third of its five minutes left, it is still good for that, and
   * for a service account's token of any lifetime. An access token of the job's own principal ends with it, and client libraries
   * want a new one when less than 3 minutes 45 seconds are left: an older token would make them ask each time.
   */
  renewal: (credential) => ({
    below: (lifeMs) => (impersonates(credential) ? lifeMs / 3 : lifeMs * 0.8),
    answerWithinMs: 5_000,
  }),

  read: readToken,

  plan(logins, { folder, authorization }) {
    const pathOf = (grant: string) => join(folder, `${grant}.json`)
    const [only, second] = logins
    const isSingle = only !== undefined && second === undefined
    return {
      variables: new Map([
        ...(isSingle
          ? ["GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"].map(
              (name) => [name, pathOf(only.credential.grant)] as const,
            )
          : []),
        [FOLDER_VARIABLE, folder],
        // No grant's name has a dot, so no grant's file has this name.
        ["CLOUDSDK_CONFIG", join(folder, ".gcloud")],
        ["NO_GCE_CHECK", "true"],
        ["METADATA_SERVER_DETECTION", "none"],
      ]),
      files: logins.map(({ credential, url }) =>
        ownerFile(pathOf(credential.grant), externalAccount(credential, { url, authorization })),
      ),
      places: new Map(
        logins.map(({ credential: { grant } }) => [
          grant,
          [isSingle ? "GOOGLE_APPLICATION_CREDENTIALS" : `${grant}.json in ${FOLDER_VARIABLE}`],
        ]),
      ),
    }
  },
}
