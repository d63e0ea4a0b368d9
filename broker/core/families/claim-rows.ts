import { type ClaimFact, TOKEN_CLAIMS } from "./claim-fact.ts"

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

const [AUD, EXP, IAT, JTI, NBF] = TOKEN_CLAIMS
const token = about("token", "always")
const REGISTERED: More = { registered: true }

/** The rows of what verification reads itself. `unsent` are those that the issuer does not send. */
export const registeredRows = (...unsent: readonly (typeof JTI | typeof NBF)[]): readonly Row[] =>
  [
    about("unit", "always")("iss", "the issuer's URL", REGISTERED),
    token(AUD, "whom the token is for", REGISTERED),
    token(EXP, "when it expires", REGISTERED),
    token(IAT, "when it was issued", REGISTERED),
    token(NBF, "from when on it counts", REGISTERED),
    token(JTI, "the token's own id", REGISTERED),
  ].filter(([claim]) => !unsent.some((one) => one === claim))
