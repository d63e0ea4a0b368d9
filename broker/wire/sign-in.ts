/** Where a broker says how people sign in, below its URL. */
export const SIGN_IN_PATH = "/.well-known/daypass"

/** The answer of `GET /.well-known/daypass`: what `daypass login` needs. All of it is in the address bar of every login. */
export interface SignInDocument {
  /** The issuers of people; empty when the broker serves only jobs. */
  readonly people: readonly SignInIssuer[]
}

export interface SignInIssuer {
  /** Its name in the organisation file. */
  readonly name: string
  /** Its URL, the `iss` of its tokens. */
  readonly url: string
  /** The OAuth client that people sign in to, the `aud` of the tokens. */
  readonly client_id: string
}
