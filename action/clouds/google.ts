import { join } from "node:path"
import { type Credential, requiredValue, type Value, valueNamed } from "../answer.ts"
import { names } from "./variables.ts"

/** The values of the format `google-federated` that the login's own file holds. */
export const GOOGLE_LOGIN_VALUES = names("federated-token audience token-url impersonation-url impersonation-seconds")

/**
 * True when the token is exchanged for one of a service account. Otherwise Google's access token is that of the job's own
 * principal, which ends with the token that it was exchanged for.
 */
export const impersonates = (credential: Credential): boolean =>
  valueNamed(credential, "impersonation-url") !== undefined

/**
 * Where Google's client libraries find the broker's token: a file with its text, a URL that answers `{"value": TOKEN}`, or a
 * program that prints it.
 */
type TokenSource =
  | { readonly file: string }
  | { readonly url: string; readonly authorization: string }
  | { readonly executable: { readonly command: string; readonly timeout_millis: number } }

/**
 * The file from which Google's client libraries, gcloud and Terraform log in with the broker's token (AIP-4117, type
 * `external_account`). `credential` has the format `google-federated`.
 * @throws {ActionError} `answer_unusable`
 */
export function externalAccount(credential: Credential, source: TokenSource): string {
  const document = {
    type: "external_account",
    audience: requiredValue(credential, "audience"),
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: requiredValue(credential, "token-url"),
    ...(impersonates(credential) && {
      service_account_impersonation_url: requiredValue(credential, "impersonation-url"),
      service_account_impersonation: {
        token_lifetime_seconds: Number(requiredValue(credential, "impersonation-seconds")),
      },
    }),
    credential_source:
      "url" in source
        ? {
            url: source.url,
            headers: { authorization: `Bearer ${source.authorization}` },
            format: { type: "json", subject_token_field_name: "value" },
          }
        : source,
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

const TOKEN_FILE = "federated-token-file"

/** True for a credential to which `withGoogleFiles` adds files. */
export const needsGoogleFiles = ({ format }: Credential): boolean => format === "google-federated"

/**
 * Adds the files with which Google's tools log in: a file with the token, and one of application default credentials that
 * names it, for client libraries and for gcloud. `folder` is where `planFiles` places them.
 * @throws {ActionError} `answer_unusable`
 */
export function withGoogleFiles(credential: Credential, folder: string): Credential {
  if (!needsGoogleFiles(credential)) return credential
  const token = requiredValue(credential, "federated-token")
  const account = externalAccount(credential, { file: join(folder, credential.grant, TOKEN_FILE) })
  const file = { mode: "0600" }
  const added: readonly Value[] = [
    { name: TOKEN_FILE, value: token, secret: true, file },
    { name: "credentials-file", value: account, secret: false, env: "GOOGLE_APPLICATION_CREDENTIALS", file },
    {
      name: "cloudsdk-credentials-file",
      value: account,
      secret: false,
      env: "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
      file,
    },
  ]
  return { ...credential, values: [...credential.values, ...added] }
}
