import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { AwsV4Signer } from "aws4fetch"
import { BrokerError } from "../../core/errors.ts"
import type { S3Target } from "../../core/policy/schema-outbound.ts"
import type { Clock } from "../../ports/clock.ts"
import type { ExportObject, ExportSink } from "../../ports/export-sink.ts"
import { type Http, HttpError, type HttpResponse } from "../../ports/http.ts"
import { endpointOf } from "../../providers/aws/partitions.ts"
import type { OwnSession } from "./own-session.ts"

const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 64 * 1024
const DAY_MS = 24 * 3600_000

export interface S3Parts {
  readonly target: S3Target
  /** The connection's region. */
  readonly region: string
  readonly session: OwnSession
  readonly http: Http
  readonly clock: Clock
}

/** Objects in a bucket of S3, by PutObject (API version 2006-03-01), with the session of the export's role. */
export function createS3Sink({ target, region, session, http, clock }: S3Parts): ExportSink {
  return {
    async put(object) {
      const url = urlOf(target, region, object.name)
      try {
        const response = await http({
          method: "PUT",
          url,
          headers: await signed(url, object, { target, region, session, clock }),
          body: object.bytes,
          timeoutMs: TIMEOUT_MS,
          maxBytes: MAX_ANSWER_BYTES,
        })
        if (response.status !== 200) throw refusal(target, response, session)
      } catch (error) {
        if (!(error instanceof HttpError)) throw error
        throw new BrokerError(
          "provider_unavailable",
          `S3 did not answer for the bucket ${target.bucket} (${error.reason}).`,
        )
      }
    },
  }
}

/** A name has only characters that need no escape. */
function urlOf({ endpoint, bucket, prefix }: S3Target, region: string, name: string): string {
  const key = prefix === undefined ? name : `${prefix}/${name}`
  if (endpoint !== undefined) return `${endpoint.replace(/\/$/, "")}/${bucket}/${key}`
  // A dot in the name would be a label that S3's certificate does not cover.
  const regional = endpointOf("s3", region)
  return bucket.includes(".")
    ? `${regional}/${bucket}/${key}`
    : `${regional.replace("https://", `https://${bucket}.`)}/${key}`
}

async function signed(
  url: string,
  object: ExportObject,
  { target, region, session, clock }: Pick<S3Parts, "target" | "region" | "session" | "clock">,
): Promise<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken } = await session.credentials()
  const now = clock.now()
  const hash = sha256(object.bytes)
  const signer = new AwsV4Signer({
    method: "PUT",
    url,
    headers: {
      "content-type": object.contentType,
      // By default, the signer leaves the body of a call to S3 unsigned.
      "x-amz-content-sha256": bytesToHex(hash),
      "x-amz-checksum-sha256": btoa(String.fromCharCode(...hash)),
      ...(object.isFinal && target.lock_days !== undefined ? lock(target.lock_days, now) : {}),
    },
    body: object.bytes as NonNullable<ConstructorParameters<typeof AwsV4Signer>[0]["body"]>,
    accessKeyId: accessKeyId.reveal(),
    secretAccessKey: secretAccessKey.reveal(),
    sessionToken: sessionToken.reveal(),
    service: "s3",
    region,
    datetime: now.toISOString().replace(/[:-]|\.[0-9]{3}/g, ""),
    allHeaders: true,
  })
  return Object.fromEntries((await signer.sign()).headers)
}

const lock = (days: number, now: Date) => ({
  "x-amz-object-lock-mode": "COMPLIANCE",
  "x-amz-object-lock-retain-until-date": new Date(now.getTime() + days * DAY_MS).toISOString(),
})

/** Repeats no text of S3, and only distinguishes known statuses. */
function refusal({ bucket, role }: S3Target, { status }: HttpResponse, session: OwnSession): BrokerError {
  if (status === 401 || status === 403) {
    session.forget()
    const remedy = `Allow the role ${role} s3:PutObject on the objects of the bucket, and s3:PutObjectRetention for lock_days`
    return new BrokerError("provider_denied", `S3 refused to write to the bucket ${bucket} (${status}). ${remedy}.`)
  }
  if (status === 404) {
    return new BrokerError(
      "provider_denied",
      `S3 does not know the bucket ${bucket} in this region. Correct its name, or the connection's region.`,
    )
  }
  if (status === 429 || status >= 500) {
    return new BrokerError("provider_unavailable", `S3 failed for the bucket ${bucket} (${status}).`)
  }
  return new BrokerError(
    "provider_response_invalid",
    `S3 did not take an object for the bucket ${bucket} (${status}). For lock_days, the bucket needs Object Lock.`,
  )
}
