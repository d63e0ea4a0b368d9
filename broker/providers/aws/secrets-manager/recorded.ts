import type { ExpectedCall, Reply } from "../../case.ts"
import { answered } from "../recorded.ts"

// What is asked of Secrets Manager and what it answers, in its recorded stories.

export const connection = { region: "eu-west-1", role: "arn:aws:iam::111122223333:role/ci/daypass-read" }
export const request = { connection, grant: { read: { API_KEY: "shop/stripe" } }, ttlSeconds: 900 }
export const about = (locator: string) => ({ ...request, grant: { read: { API_KEY: locator } } })

export const VERSION = "a1b2c3d4-5678-90ab-cdef-1234567890ab"
export const ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"

export const secret = (change: Readonly<Record<string, unknown>> = {}, name = "shop/stripe"): Reply =>
  answered({
    ARN: `${ARN}${name}-AbCd12`,
    Name: name,
    VersionId: VERSION,
    SecretString: "sk_live_1",
    VersionStages: ["AWSCURRENT"],
    CreatedDate: 1795348800,
    ...change,
  })

export const json = (value: unknown) => secret({ SecretString: JSON.stringify(value) })

export const call = (input: object): ExpectedCall => ({
  method: "POST",
  url: "https://secretsmanager.eu-west-1.amazonaws.com/",
  headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue" },
  bodyHolds: [JSON.stringify(input)],
})

export const login: ExpectedCall = {
  method: "POST",
  url: "https://sts.eu-west-1.amazonaws.com/",
  bodyHolds: [
    "DurationSeconds=900",
    "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fci%2Fdaypass-read",
    "RoleSessionName=acme.shop%4010988497055.1",
  ],
}

export const minted = {
  values: { API_KEY: { secret: true, env: "API_KEY", value: "sk_live_1" } },
  revocation: "expires-only",
  expiresAt: null,
} as const
