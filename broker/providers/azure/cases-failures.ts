import { CASE_SUBJECT, FOREIGN_TEXT, type ProviderCase } from "../case.ts"
import { answer, CLIENT, minted, refused, request, TENANT, TOKEN, TYPE } from "./recorded.ts"

/** Entra says no, for good. */
export const refusals: readonly ProviderCase[] = (
  [
    [700016, `AADSTS700016: the tenant has no client ${CLIENT}`],
    [700011, `AADSTS700011: the tenant has no client ${CLIENT}`],
    [70001, "unknown to the tenant, or disabled"],
    [7000229, `az ad sp create --id ${CLIENT}`],
    [7000112, "Enable its service principal"],
    [700025, "public client"],
    [70025, `the audience api://AzureADTokenExchange, and the subject ${CASE_SUBJECT}.`],
    [70021, `AADSTS70021: client ${CLIENT} has no federated credential`],
    [700211, "without a slash at the end"],
    [700212, "credential with the audience api://AzureADTokenExchange"],
    [700213, `exactly the subject ${CASE_SUBJECT}, case included`],
    [7002137, `exactly the subject ${CASE_SUBJECT}, case included`],
    [7002138, `exactly the subject ${CASE_SUBJECT}, case included`],
    [700024, "the broker's clock"],
    [700027, "discovery document and JWKS"],
    [7000272, "from the same broker that signed"],
    [50027, "could not verify"],
    [50013, "could not verify"],
    [90002, `https://login.microsoftonline.com has no tenant ${TENANT}`],
    [500011, "the tenant has no resource for https://management.azure.com/.default"],
    [500014, "is disabled in the tenant"],
    [50001, "Entra does not know the scope"],
    [70011, "Entra does not know the scope https://management.azure.com/.default"],
    [28002, "Entra does not know the scope"],
    [1002012, "Entra does not know the scope"],
    [501051, `Assign client ${CLIENT} one of its roles`],
    [50105, `Assign client ${CLIENT} one of its roles`],
    [53003, "Conditional Access"],
    [987654, "sign-in logs"],
  ] as const
).map(([code, detailHolds]) => ({
  name: `takes AADSTS${code} for a refusal and does not ask again`,
  ...request,
  replies: [refused(code, code % 2 === 0 ? 400 : 401)],
  expect: { code: "provider_denied", detailHolds },
}))

/** What came is not what was asked for. */
export const spoiled: readonly ProviderCase[] = (
  [
    ["an answer without a token", answer({ access_token: undefined })],
    ["an answer without a lifetime", answer({ expires_in: undefined })],
    ["an answer without a type", answer({ token_type: undefined })],
    ["a lifetime that is a text", answer({ expires_in: "3599" })],
    ["a lifetime that is no number of seconds", answer({ expires_in: 1e18 })],
    ["a token that is bound to a key", answer({ token_type: "pop" })],
    ["an empty token", answer({ access_token: "" })],
    ["a token with a line break", answer({ access_token: `${TOKEN}\n${FOREIGN_TEXT}` })],
    ["a token longer than any", answer({ access_token: "x".repeat(40_000) })],
    ["a token that has expired already", answer({ expires_in: 0 })],
    ["a token that lives a little longer than was granted", answer({ expires_in: 5_521 })],
    ["an answer that is not JSON", { status: 200, headers: TYPE, body: `<!doctype html><p>${FOREIGN_TEXT}` }],
    ["an answer that is a list", { status: 200, headers: TYPE, body: "[]" }],
    ["an answer without a body", { status: 204, headers: {}, body: "" }],
    [
      "a refusal that is none of Entra's",
      { status: 403, headers: TYPE, body: JSON.stringify({ error: FOREIGN_TEXT }) },
    ],
    ["a page of something else", { status: 404, headers: { "content-type": "text/html" }, body: FOREIGN_TEXT }],
    ["an oversized answer", { failure: "too-large" }],
    ["a redirect", { failure: "redirect" }],
  ] as const
).map(([what, reply]) => ({
  name: `hands out nothing of ${what}`,
  ...request,
  replies: [reply],
  expect: { code: "provider_response_invalid" },
}))

/** What passes. */
export const transient: readonly ProviderCase[] = (
  [
    ["throttling", refused(90055, 429, "temporarily_unavailable")],
    ["a server error", { status: 503, headers: TYPE, body: FOREIGN_TEXT }],
    ["a transient error", refused(90033, 400, "temporarily_unavailable")],
    ["another transient error", refused(50033)],
    ["keys that Entra could not fetch", refused(50166)],
    ["a discovery document that Entra could not fetch", refused(501661)],
    ["an issuer that Entra could not reach", refused(90061)],
    ["a slow answer", { failure: "timeout" }],
    ["a broken connection", { failure: "unreachable" }],
  ] as const
).map(([what, reply]) => ({
  name: `asks again after ${what}`,
  ...request,
  replies: [reply, answer()],
  expect: minted,
}))
