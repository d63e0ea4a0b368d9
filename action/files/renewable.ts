import { join } from "node:path"
import { type Credential, requiredValue, unusable } from "../answer.ts"
import { readSession } from "../clouds/aws.ts"
import { impersonates } from "../clouds/google.ts"
import { ownerFile, type PlannedFile } from "../deliver/files.ts"
import type { Inputs } from "../inputs.ts"
import { grantFolder } from "../renewal/place.ts"

/** Who asks `renew.js`, and so the form of its answer. */
type Asker = "aws" | "google"

/** What `renew.js` needs to renew one grant, as JSON. Nothing in it is secret. */
export interface RenewalSettings {
  readonly asker: Asker
  readonly grant: string
  readonly broker: string
  readonly audience: string
  readonly ttl?: string
  /** An answer that ends sooner is renewed, unless more than four fifths of its life are left. */
  readonly renewBelowMs: number
}

/** An answer of `renew.js`, kept for the processes that ask next. It is secret. */
export interface KeptAnswer {
  /** Milliseconds since 1970. */
  readonly receivedAt: number
  readonly expiresAt: number
  /** What the asker reads. */
  readonly answer: unknown
}

/** botocore asks for a new session when less than 15 minutes are left: at each signing, while it gets none. */
const AWS_RENEW_BELOW_MS = 16 * 60_000
/** Of the five minutes of the broker's token. The login for a service account follows at once, and lives on its own. */
const GOOGLE_RENEW_BELOW_MS = 100_000
/**
 * An access token of the job's own principal ends with the token that it was exchanged for, and Google's libraries ask again
 * when less than 3 minutes 45 seconds are left.
 */
const GOOGLE_PRINCIPAL_RENEW_BELOW_MS = 240_000

/** The files of one grant that later steps renew. `path` is the argument of `renew.js`. */
export function planRenewable(
  credential: Credential,
  asker: Asker,
  folder: string,
  { broker, audience, ttl }: Pick<Inputs, "broker" | "audience" | "ttl">,
): { readonly path: string; readonly files: readonly PlannedFile[] } {
  const own = grantFolder(folder, credential.grant)
  const settings: RenewalSettings = {
    asker,
    grant: credential.grant,
    broker,
    audience,
    ...(ttl !== undefined && { ttl }),
    renewBelowMs: renewBelowMs(asker, credential),
  }
  const file = (name: string, value: unknown) => ownerFile(join(own, name), JSON.stringify(value))
  return {
    path: join(own, "settings.json"),
    files: [file("settings.json", settings), file("kept.json", keptAnswer(asker, credential))],
  }
}

function renewBelowMs(asker: Asker, credential: Credential): number {
  if (asker === "aws") return AWS_RENEW_BELOW_MS
  return impersonates(credential) ? GOOGLE_RENEW_BELOW_MS : GOOGLE_PRINCIPAL_RENEW_BELOW_MS
}

/**
 * What `renew.js` prints for a credential.
 * @throws {ActionError} `answer_unusable` when the credential has another form
 */
export function keptAnswer(asker: Asker, credential: Credential): KeptAnswer {
  const receivedAt = Date.now()
  if (asker === "aws") {
    const { Token: SessionToken, ...session } = readSession(credential)
    const expiresAt = Date.parse(session.Expiration)
    return { receivedAt, expiresAt, answer: { Version: 1, ...session, SessionToken } }
  }
  const token = requiredValue(credential, "federated-token")
  const expiresAt = Date.parse(credential.expiresAt ?? "")
  if (Number.isNaN(expiresAt)) throw unusable(`the federated token of ${credential.grant} has no end`)
  const answer = {
    version: 1,
    success: true,
    token_type: "urn:ietf:params:oauth:token-type:jwt",
    id_token: token,
    expiration_time: Math.floor(expiresAt / 1000),
  }
  return { receivedAt, expiresAt, answer }
}
