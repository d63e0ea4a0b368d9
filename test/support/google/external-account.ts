const JWT = "urn:ietf:params:oauth:token-type:jwt"
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
const IAM = "https://www.googleapis.com/auth/iam"

/** A file of application default credentials of the type `external_account` (AIP-4117), as far as logins need it. */
export interface ExternalAccount {
  readonly type: string
  readonly audience: string
  readonly subject_token_type: string
  readonly token_url: string
  readonly service_account_impersonation_url?: string
  readonly service_account_impersonation?: { readonly token_lifetime_seconds: number }
  readonly credential_source: Readonly<Record<string, unknown>>
}

/**
 * Logs in as Google's client libraries do with such a file: exchanges the subject token, and impersonates the account that the
 * file names. Resolves to the access token.
 * @throws {Error} with what Google answered
 */
export async function logInWithFile(account: ExternalAccount, subjectToken: string): Promise<string> {
  const { audience, service_account_impersonation_url: impersonation } = account
  if (account.type !== "external_account" || account.subject_token_type !== JWT) throw new Error("another kind of file")
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience,
    requested_token_type: ACCESS_TOKEN,
    subject_token: subjectToken,
    subject_token_type: JWT,
    scope: impersonation === undefined ? CLOUD_PLATFORM : IAM,
  })
  const { access_token } = await ask(account.token_url, { method: "POST", body: form })
  if (impersonation === undefined) return String(access_token)
  const { token_lifetime_seconds: seconds } = account.service_account_impersonation ?? {}
  const { accessToken } = await ask(impersonation, {
    method: "POST",
    headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json" },
    body: JSON.stringify({ scope: [CLOUD_PLATFORM], lifetime: `${seconds}s` }),
  })
  return String(accessToken)
}

async function ask(url: string, request: RequestInit): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(url, request)
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json()) as Readonly<Record<string, unknown>>
}
