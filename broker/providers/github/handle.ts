import * as z from "zod"
import { BrokerError } from "../../core/errors.ts"
import { Secret } from "../../core/secret.ts"
import type { Connection } from "./grant.ts"

/**
 * The revocation of a token needs the token and the API that issued it. The connection may point to another GitHub by then:
 * that server would see a live token, and would answer that it does not know it, which counts as revoked.
 */
const handle = z.strictObject({ api_url: z.string(), token: z.string() })

export function handleOf({ api_url }: Pick<Connection, "api_url">, token: Secret<string>): Secret<string> {
  const parts: z.input<typeof handle> = { api_url, token: token.reveal() }
  return new Secret(JSON.stringify(parts))
}

/** @throws {BrokerError} `internal` for what `handleOf` did not make */
export function openHandle(sealed: Secret<string>): { readonly apiUrl: string; readonly token: Secret<string> } {
  try {
    const { api_url: apiUrl, token } = handle.parse(JSON.parse(sealed.reveal()))
    return { apiUrl, token: new Secret(token) }
  } catch {
    throw new BrokerError("internal", "A handle of the provider github cannot be read.")
  }
}
