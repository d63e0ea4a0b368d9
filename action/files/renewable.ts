import { join } from "node:path"
import type { Credential } from "../answer.ts"
import { readSession } from "../aws-session.ts"
import type { PlannedFile } from "../deliver/files.ts"
import { ActionError } from "../failure.ts"
import { requiredValue } from "../federated.ts"
import type { Inputs } from "../inputs.ts"

/** Who asks `refresh.js`, and so the form of its answer. */
export type Asker = "aws" | "google"

/** What `refresh.js` needs to fetch one grant again, as JSON. Nothing in it is secret. */
export interface RefreshSettings {
  readonly asker: Asker
  readonly grant: string
  readonly broker: string
  readonly audience: string
  readonly ttl?: string
  /** An answer that ends sooner is fetched again, unless more than four fifths of its life are left. */
  readonly renewBelowMs: number
}

/** An answer of `refresh.js`, kept for the processes that ask next. It is secret. */
export interface KeptAnswer {
  /** Milliseconds since 1970. */
  readonly receivedAt: number
  readonly expiresAt: number
  /** What the asker reads. */
  readonly answer: unknown
}

/** The folder of all that `refresh.js` reads and writes. No grant's name starts with a dot. */
export const refreshFolder = (folder: string) => join(folder, ".refresh")

/** Where `refresh.js` writes the ids of its leases, for the post step. */
export const leasesFile = (folder: string) => join(refreshFolder(folder), "leases")

/** botocore asks for a new session when less than 15 minutes are left: at each signing, while it gets none. */
const AWS_RENEW_BELOW_MS = 16 * 60_000
/** Of the five minutes of the broker's token. The login for a service account follows at once, and lives on its own. */
const GOOGLE_RENEW_BELOW_MS = 100_000
/**
 * An access token of the job's own principal ends with the token that it was exchanged for, and Google's libraries ask again
 * when less than 3 minutes 45 seconds are left.
 */
const GOOGLE_PRINCIPAL_RENEW_BELOW_MS = 240_000

/**
 * The files of one grant that later steps fetch again. `path` is the argument of `refresh.js`. Each folder's name starts with
 * a word, because Windows reserves names such as `con`.
 */
export function planRenewable(
  credential: Credential,
  asker: Asker,
  folder: string,
  { broker, audience, ttl }: Pick<Inputs, "broker" | "audience" | "ttl">,
): { readonly path: string; readonly files: readonly PlannedFile[] } {
  const own = join(refreshFolder(folder), `grant-${credential.grant}`)
  const settings: RefreshSettings = {
    asker,
    grant: credential.grant,
    broker,
    audience,
    ...(ttl !== undefined && { ttl }),
    renewBelowMs: renewBelowMs(asker, credential),
  }
  const file = (name: string, value: unknown): PlannedFile => ({
    path: join(own, name),
    bytes: Buffer.from(JSON.stringify(value)),
    mode: 0o600,
  })
  return {
    path: join(own, "settings.json"),
    files: [file("settings.json", settings), file("kept.json", keptAnswer(asker, credential))],
  }
}

function renewBelowMs(asker: Asker, { values }: Credential): number {
  if (asker === "aws") return AWS_RENEW_BELOW_MS
  const impersonates = values.some(({ name }) => name === "impersonation-url")
  return impersonates ? GOOGLE_RENEW_BELOW_MS : GOOGLE_PRINCIPAL_RENEW_BELOW_MS
}

/**
 * What `refresh.js` prints for a credential.
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
  if (Number.isNaN(expiresAt)) {
    const message = `The broker's answer cannot be used: the federated token of ${credential.grant} has no end.`
    throw new ActionError("answer_unusable", message)
  }
  const answer = {
    version: 1,
    success: true,
    token_type: "urn:ietf:params:oauth:token-type:jwt",
    id_token: token,
    expiration_time: Math.floor(expiresAt / 1000),
  }
  return { receivedAt, expiresAt, answer }
}

/** A value of a credential; empty when it has none of this name. */
export function valueNamed({ values }: Credential, name: string): string {
  return values.find((value) => value.name === name)?.value ?? ""
}
