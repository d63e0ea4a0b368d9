import { randomBytes, randomInt, randomUUID } from "node:crypto"

const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
const ACCESS_KEY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
const SESSION_TOKEN_BYTES = 630

/** Every refusal of AssumeRoleWithWebIdentity that the stand-in gives, with STS's status and party at fault. */
export const STS_ERRORS = {
  MissingAction: { status: 400, type: "Sender" },
  InvalidAction: { status: 400, type: "Sender" },
  ValidationError: { status: 400, type: "Sender" },
  MalformedInput: { status: 400, type: "Sender" },
  MalformedPolicyDocument: { status: 400, type: "Sender" },
  PackedPolicyTooLarge: { status: 400, type: "Sender" },
  IDPCommunicationError: { status: 400, type: "Sender" },
  InvalidIdentityToken: { status: 400, type: "Sender" },
  ExpiredTokenException: { status: 400, type: "Sender" },
  IDPRejectedClaim: { status: 403, type: "Sender" },
  RegionDisabledException: { status: 403, type: "Sender" },
  AccessDenied: { status: 403, type: "Sender" },
  InvalidClientTokenId: { status: 403, type: "Sender" },
  Throttling: { status: 400, type: "Sender" },
  ServiceUnavailable: { status: 503, type: "Receiver" },
} as const satisfies Record<string, { readonly status: number; readonly type: "Sender" | "Receiver" }>

export type StsErrorCode = keyof typeof STS_ERRORS

/** A refusal, in STS's words. */
export class StsRefusal extends Error {
  override readonly name = "StsRefusal"
  readonly code: StsErrorCode

  constructor(code: StsErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** What the stand-in handed out. Kept, so that a test can say whether what arrived in the job is what left. */
export interface IssuedCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiration: string
  readonly roleArn: string
  readonly sessionName: string
  readonly subject: string
  readonly durationSeconds: number
  /** Principal tags of the session, by key. */
  readonly tags: Readonly<Record<string, string>>
  readonly transitiveTagKeys: readonly string[]
  readonly sessionPolicy: string | null
  readonly policyArns: readonly string[]
}

/** Credentials of the shape that STS's have: `ASIA` and 16 characters, 40 characters, and about 850 of base64. */
export function makeCredentials(lifetimeSeconds: number) {
  return {
    accessKeyId: `ASIA${Array.from({ length: 16 }, () => ACCESS_KEY_ALPHABET[randomInt(32)]).join("")}`,
    secretAccessKey: randomBytes(30).toString("base64"),
    sessionToken: `IQoJb3JpZ2luX2Vj${randomBytes(SESSION_TOKEN_BYTES).toString("base64")}`,
    expiration: new Date(Date.now() + lifetimeSeconds * 1000).toISOString().replace(/\.\d+Z$/, "Z"),
  }
}

export function successXml(
  issued: IssuedCredentials,
  about: {
    readonly assumedRoleArn: string
    readonly audience: string
    readonly providerArn: string
    readonly packedPolicySize: number
  },
): string {
  return `<AssumeRoleWithWebIdentityResponse xmlns="${NAMESPACE}">
  <AssumeRoleWithWebIdentityResult>
    <Audience>${escapeXml(about.audience)}</Audience>
    <AssumedRoleUser>
      <AssumedRoleId>AROA${randomBytes(8).toString("hex").toUpperCase()}Q:${escapeXml(issued.sessionName)}</AssumedRoleId>
      <Arn>${escapeXml(about.assumedRoleArn)}</Arn>
    </AssumedRoleUser>
    <Provider>${escapeXml(about.providerArn)}</Provider>
    <Credentials>
      <AccessKeyId>${issued.accessKeyId}</AccessKeyId>
      <SecretAccessKey>${issued.secretAccessKey}</SecretAccessKey>
      <SessionToken>${issued.sessionToken}</SessionToken>
      <Expiration>${issued.expiration}</Expiration>
    </Credentials>
    <SubjectFromWebIdentityToken>${escapeXml(issued.subject)}</SubjectFromWebIdentityToken>
    <PackedPolicySize>${about.packedPolicySize}</PackedPolicySize>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata>
    <RequestId>${randomUUID()}</RequestId>
  </ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>
`
}

export function errorXml(refusal: StsRefusal): string {
  return `<ErrorResponse xmlns="${NAMESPACE}">
  <Error>
    <Type>${STS_ERRORS[refusal.code].type}</Type>
    <Code>${refusal.code}</Code>
    <Message>${escapeXml(refusal.message)}</Message>
  </Error>
  <RequestId>${randomUUID()}</RequestId>
</ErrorResponse>
`
}

const escapeXml = (text: string) => text.replace(/[<>&'"]/g, (char) => `&#${char.charCodeAt(0)};`)
