import { FOREIGN_TEXT, type Reply } from "../case.ts"

// What STS answers in the recorded stories of every provider that assumes a role.

const STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"

/** STS hands out a session. */
export const granted = (change: { expiration?: string; arn?: string; secretKey?: string } = {}): Reply => ({
  status: 200,
  headers: { "content-type": "text/xml" },
  body: `<AssumeRoleWithWebIdentityResponse xmlns="${STS_NAMESPACE}"><AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>${FOREIGN_TEXT}</SubjectFromWebIdentityToken>
    <AssumedRoleUser>
      <AssumedRoleId>AROAEXAMPLE:session</AssumedRoleId>
      <Arn>${change.arn ?? "arn:aws:sts::111122223333:assumed-role/shop-deploy/session"}</Arn>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIAEXAMPLEEXAMPLE00</AccessKeyId>
      <SecretAccessKey>${change.secretKey ?? "wJalrXUtnFEMIexampleexampleexampleKEY000"}</SecretAccessKey>
      <SessionToken>FwoGZXIvYXdzEXAMPLE+/==</SessionToken>
      <Expiration>${change.expiration ?? "2026-11-22T12:15:00Z"}</Expiration>
    </Credentials>
    <PackedPolicySize>3</PackedPolicySize>
  </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
})

/** STS refuses, or fails. */
export const refused = (status: number, code: string): Reply => ({
  status,
  headers: { "content-type": "text/xml" },
  body: `<ErrorResponse xmlns="${STS_NAMESPACE}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${FOREIGN_TEXT}</Message></Error><RequestId>${FOREIGN_TEXT}</RequestId></ErrorResponse>`,
})

/** The session of the role that reads, in the stories of the stores. */
export const loggedIn: Reply = granted({ arn: "arn:aws:sts::111122223333:assumed-role/daypass-read/session" })

const JSON_TYPE = { "content-type": "application/x-amz-json-1.1" }

/** A store answers. */
export const answered = (body: object): Reply => ({ status: 200, headers: JSON_TYPE, body: JSON.stringify(body) })

/** A store refuses, or fails; the message is foreign text with `about` in it. */
export const refusedWith = (status: number, type: string, about = ""): Reply => ({
  status,
  headers: JSON_TYPE,
  body: JSON.stringify({ __type: type, Message: `${FOREIGN_TEXT} ${about} ${FOREIGN_TEXT}` }),
})

/** A store refuses in its header alone. */
export const refusedInHeader = (status: number, type: string): Reply => ({
  status,
  headers: { ...JSON_TYPE, "x-amzn-errortype": `${type}:http://internal.amazon.com/coral/` },
  body: JSON.stringify({ message: FOREIGN_TEXT }),
})

/** How the stores throttle, and in which other ways they fail for a while, by AWS's codes. */
export const TRANSIENT = {
  throttled: refusedWith(400, "ThrottlingException"),
  failing: [
    ["throttling that the header alone tells", refusedInHeader(400, "ThrottlingException")],
    ["a failure", refusedWith(500, "InternalServiceError")],
    ["a failure with the status of a refusal", refusedWith(400, "InternalServerError")],
  ],
} as const
