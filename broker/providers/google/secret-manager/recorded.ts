import { base64Of } from "../../bytes.ts"
import type { Reply } from "../../case.ts"
import { askingBy } from "../../case-store.ts"
import { answer, FEDERATED, POOL_PROVIDER } from "../recorded.ts"
import { crc32c } from "./crc32c.ts"

// The parts that the stories of Secret Manager share.

export const connection = { workload_identity_provider: POOL_PROVIDER, project: "acme-prod" }
export const asking = askingBy({ connection })
export const request = asking("shop-db")

export const CHECKSUM_OF_PASSWORD = "343475146"

/** A payload as Google sends it, with the right checksum unless another is given. */
const payloadOf = (content: string | Uint8Array) => {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content
  return { data: base64Of(bytes), dataCrc32c: String(crc32c(bytes)) }
}
export const NAME = "projects/210987654321/secrets/shop-db/versions/7"
export const found = (
  content: string | Uint8Array = "the password",
  name: unknown = NAME,
  change: object = {},
): Reply => answer(200, { name, payload: { ...payloadOf(content), ...change } })

export const SCOPE = "https://www.googleapis.com/auth/cloud-platform"
export const EXCHANGE_CALL = {
  method: "POST",
  url: "https://sts.googleapis.com/v1/token",
  bodyHolds: [`"scope":"${SCOPE}"`, '"subjectToken":"header.canary'],
}
export const accessCall = (version: string, token = FEDERATED) => ({
  method: "GET",
  url: `https://secretmanager.googleapis.com/v1/projects/acme-prod/secrets/${version}:access`,
  headers: { authorization: `Bearer ${token}` },
})
