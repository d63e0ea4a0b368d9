import { CAUTION_ROWS } from "./cautions.ts"
import type { ClaimFact, ClaimTable, ValueFact } from "./claim-fact.ts"

type More = Partial<ClaimFact>
export type ClaimRow = readonly [claim: string, fact: ClaimFact]

/** Makes rows of a table of claims that tell the same and are sent alike. */
export const rowsAbout =
  (tells: ClaimFact["tells"], sent: ClaimFact["sent"]) =>
  (claim: string, summary: string, more: More = {}): ClaimRow => [claim, { summary, sent, tells, ...more }]

/** A closed set of values, each of which can serve as an example. */
export const closed = (...values: readonly string[]): Pick<ClaimFact, "values" | "samples"> => ({
  values: new Map(values.map((value) => [value, {}])),
  samples: values,
})

/** A closed set of values some of which an `allow` must name. The first one serves as an example. */
export const marked = (values: Readonly<Record<string, ValueFact>>): Pick<ClaimFact, "values" | "samples"> => ({
  values: new Map(Object.entries(values)),
  samples: Object.keys(values).slice(0, 1),
})

const token = rowsAbout("token", "always")

/** A whole table: what RFC 7519 registers, a family's own rows, and what is made of them. */
export const tableOf = (jti: "always" | "sometimes" | "never", rows: readonly ClaimRow[]): ClaimTable =>
  new Map([
    rowsAbout("unit", "always")("iss", "the issuer's URL", { registered: true }),
    token("aud", "whom the token is for", { registered: true }),
    token("exp", "when it expires", { registered: true }),
    rowsAbout("token", "by-some-issuers")("nbf", "from when on it counts", { registered: true }),
    token("iat", "when it was issued", { registered: true }),
    ...(jti === "never" ? [] : [JTI[jti]]),
    ...rows,
    ...CAUTION_ROWS,
  ])

const JTI = {
  always: token("jti", "the token's own id", { registered: true }),
  sometimes: rowsAbout("token", "by-some-issuers")("jti", "the token's own id", { registered: true }),
}
