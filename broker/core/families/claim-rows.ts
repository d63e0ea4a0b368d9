import { CAUTION_ROWS } from "./cautions.ts"
import { type ClaimFact, type ClaimTable, TOKEN_CLAIMS, type ValueFact } from "./claim-fact.ts"

/** What a row says beyond its summary. */
export type More = Partial<ClaimFact>
export type Row = readonly [claim: string, fact: ClaimFact]

/** Makes the rows of one kind: what their claims tell, and when issuers send them. */
export const about =
  (tells: ClaimFact["tells"], sent: ClaimFact["sent"]) =>
  (claim: string, summary: string, more: More = {}): Row => [claim, { summary, sent, tells, ...more }]

/** The closed set of a claim's values, none of which is special. */
export const closed = (...values: readonly string[]): Pick<ClaimFact, "values" | "samples"> => ({
  values: new Map(values.map((value) => [value, {}])),
  samples: values,
})

/** A closed set of values, some of which an `allow` must name. The first one serves as an example. */
export const marked = (values: Readonly<Record<string, ValueFact>>): Pick<ClaimFact, "values" | "samples"> => ({
  values: new Map(Object.entries(values)),
  samples: Object.keys(values).slice(0, 1),
})

/** A whole table: what RFC 7519 registers, a family's own rows, and what is made of them. `unsent`: what it never sends. */
export const tableOf = (rows: readonly Row[], ...unsent: readonly (typeof JTI | typeof NBF)[]): ClaimTable =>
  new Map([...REGISTERED.filter(([claim]) => !unsent.some((one) => one === claim)), ...rows, ...CAUTION_ROWS])

const [AUD, EXP, IAT, JTI, NBF] = TOKEN_CLAIMS
const token = about("token", "always")

const REGISTERED: readonly Row[] = [
  about("unit", "always")("iss", "the issuer's URL", { registered: true }),
  token(AUD, "whom the token is for", { registered: true }),
  token(EXP, "when it expires", { registered: true }),
  about("token", "by-some-issuers")(NBF, "from when on it counts", { registered: true }),
  token(IAT, "when it was issued", { registered: true }),
  about("token", "by-some-issuers")(JTI, "the token's own id", { registered: true }),
]
