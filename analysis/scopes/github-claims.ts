import { CLAIMS } from "../../broker/core/claims/families.ts"
import { followedBy, languageOfText, WORD } from "../regions/language.ts"
import type { Domain } from "../regions/space.ts"
import type { ClaimFacts } from "./scope-space.ts"

const REPOSITORY = followedBy(followedBy(WORD, languageOfText("/")), WORD)

/**
 * What a GitHub Actions token always says, and what good examples are: the table of claims, as spaces need it. Verification
 * refuses tokens without what is always sent, so no analysis has to look at jobs that lack it. Closed sets of values are left
 * out: an analysis looks at every value that a condition could tell apart, because GitHub can add an event tomorrow, and a
 * proof must hold then. `sub` is left out: it repeats the others, and no example of it could agree with them.
 */
export const GITHUB_CLAIMS: ClaimFacts = new Map(
  [...CLAIMS["github-actions"]].flatMap(([claim, { sent, registered, form, samples }]): [string, Domain][] => {
    const isAlwaysSent = sent === "always" && !registered && form !== "subject"
    if (!isAlwaysSent && samples === undefined) return []
    const domain = { ...(isAlwaysSent && { present: "always" as const }), ...(samples && { samples }) }
    return [[claim, form === "repository" ? { ...domain, within: [REPOSITORY] } : domain]]
  }),
)
