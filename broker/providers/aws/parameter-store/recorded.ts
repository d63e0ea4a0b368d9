import type { ExpectedCall, Reply } from "../../case.ts"
import { answered } from "../recorded.ts"

// The answers of Parameter Store for the stories. Tests only: never in a bundle.

export const connection = { region: "eu-west-1", role: "arn:aws:iam::111122223333:role/ci/daypass-read" }
export const NAME = "/shop/db/password"
export const request = { connection, grant: { read: { PASSWORD: NAME } }, ttlSeconds: 900 }
export const about = (locator: string) => ({ ...request, grant: { read: { PASSWORD: locator } } })

export const ARN = "arn:aws:ssm:eu-west-1:111122223333:parameter"

export const parameter = (name: string, change: Readonly<Record<string, unknown>> = {}) => ({
  ARN: `${ARN}${name.startsWith("/") ? "" : "/"}${name}`,
  Name: name,
  Type: "SecureString",
  Value: "hunter2",
  Version: 4,
  DataType: "text",
  LastModifiedDate: 1795348800.123,
  ...change,
})

export const found = (...parameters: readonly object[]): Reply =>
  answered({ Parameters: parameters, InvalidParameters: [] })

export const one = (change: Readonly<Record<string, unknown>> = {}) => found(parameter(NAME, change))

export const login: ExpectedCall = { method: "POST", url: "https://sts.eu-west-1.amazonaws.com/" }
