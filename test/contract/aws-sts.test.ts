import { createRequire } from "node:module"
import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts"
import { describe, expect, it } from "vitest"
import type { HttpRequest } from "../../broker/ports/http.ts"
import { granted, refused } from "../../broker/providers/aws/recorded.ts"
import { assumeRole } from "../../broker/providers/aws/sts-client.ts"
import type { Reply } from "../../broker/providers/case.ts"

// The SDK's own client, over the same answers: what it sends and what it reads is what our call must send and read.

const INPUT = {
  RoleArn: "arn:aws:iam::111122223333:role/ci/deploy",
  RoleSessionName: "acme+shop=1,@.-",
  WebIdentityToken: "header.payload.signature",
  DurationSeconds: 900,
}
const NARROWED = {
  ...INPUT,
  Policy: JSON.stringify({ Statement: [{ Resource: "arn:aws:s3:::a/*é&=+ %'()!" }] }),
  PolicyArns: [{ arn: "arn:aws:iam::aws:policy/ReadOnlyAccess" }, { arn: "arn:aws:iam::111122223333:policy/b" }],
}
const ENDPOINTS = [
  "https://sts.eu-west-1.amazonaws.com",
  "https://vpce.example.com/prefix",
  "https://vpce.example.com:8443/prefix/",
  "http://127.0.0.1:4566/",
  "http://[::1]:4566",
]

type Answer = Exclude<Reply, { readonly failure: unknown }>

function recorded(reply: Reply): Answer {
  if ("failure" in reply) throw new Error("this is no answer")
  return reply
}

const GRANTED = recorded(granted())

/** STS's errors by every name, what no error of STS is called, and answers that are not STS's at all. */
const ANSWERS: readonly Answer[] = [
  GRANTED,
  recorded(granted({ secretKey: "a&amp;b&#x2F;&lt;+=" })),
  recorded(granted({ expiration: "2026-11-22T12:15:00.250Z" })),
  ...[400, 403, 429, 500, 503].flatMap((status) =>
    ["AccessDenied", "InvalidIdentityToken", "IDPCommunicationError", "IDPRejectedClaim", "ExpiredTokenException"]
      .concat(["PackedPolicyTooLarge", "MalformedPolicyDocument", "RegionDisabledException", "Throttling"])
      .concat(["ValidationError", "NoSuchCode", "toString", "__proto__", "other#AccessDenied", ""])
      .map((code) => recorded(refused(status, code))),
  ),
  ...[200, 204, 400, 404, 502].flatMap((status) =>
    ["", "<", "<x/>", "text", "{}", "<!doctype html><p>text", "<html><body>text</body></html>", "<a><b></a></b>"]
      .concat(["<ErrorResponse/>", "<ErrorResponse><Error/></ErrorResponse>"])
      .concat(["<Response><Errors><Error><Code>AccessDenied</Code></Error></Errors></Response>"])
      .concat([
        "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult/></AssumeRoleWithWebIdentityResponse>",
      ])
      .map((body) => ({ status, headers: { "content-type": "text/xml" }, body })),
  ),
]

type Outcome = { readonly url: string; readonly form: string; readonly read: unknown }

async function outcome(call: () => Promise<object>) {
  try {
    return { ...(await call()), $metadata: undefined }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { $metadata } = error as { $metadata?: { httpStatusCode?: number } }
    return { name: error.name, status: $metadata?.httpStatusCode }
  }
}

async function byUs(endpoint: string, input: typeof INPUT, { status, body }: Answer): Promise<Outcome> {
  let sent: HttpRequest | undefined
  const http = async (request: HttpRequest) => {
    sent = request
    return { status, header: () => null, body: new TextEncoder().encode(body) }
  }
  const io = { http, remainingMs: () => 5_000 }
  const read = await outcome(() => assumeRole(endpoint, input, io))
  return { url: `${sent?.url}`, form: `${sent?.body}`, read }
}

async function byTheSdk(endpoint: string, input: typeof INPUT, { status, headers, body }: Answer): Promise<Outcome> {
  let url = ""
  let form = ""
  const handle = async (request: {
    protocol: string
    hostname: string
    port?: number
    path: string
    body?: unknown
  }) => {
    url = `${request.protocol}//${request.hostname}${request.port ? `:${request.port}` : ""}${request.path}`
    form = `${request.body}`
    return { response: { statusCode: status, headers: { ...headers }, body: new TextEncoder().encode(body) } }
  }
  const client = new STSClient({ region: "eu-west-1", endpoint, maxAttempts: 1, requestHandler: { handle } })
  const read = await outcome(() => client.send(new AssumeRoleWithWebIdentityCommand(input)))
  return { url, form, read }
}

describe("our call of AWS STS", () => {
  it.each(ENDPOINTS)("sends to %s what the SDK's own client sends", async (endpoint) => {
    for (const input of [INPUT, NARROWED]) {
      const theirs = await byTheSdk(endpoint, input, GRANTED)
      expect(theirs.form).toContain("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn")
      expect(await byUs(endpoint, input, GRANTED)).toEqual(theirs)
    }
  })

  it.each(ANSWERS)("reads $status $body as the SDK's own client does", async (answer) => {
    const endpoint = "https://sts.eu-west-1.amazonaws.com"
    expect(await byUs(endpoint, INPUT, answer)).toEqual(await byTheSdk(endpoint, INPUT, answer))
  })

  it("uses the one version of the protocol that the SDK's client has", () => {
    const ours = createRequire(import.meta.url)
    const theirs = createRequire(ours.resolve("@aws-sdk/client-sts"))
    expect(ours.resolve("@aws-sdk/core/protocols")).toBe(theirs.resolve("@aws-sdk/core/protocols"))
  })
})
