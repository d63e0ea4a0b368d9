import { GITHUB_ACTIONS } from "../../broker/core/families/github-actions.ts"
import { followedBy, languageOfText, WORD } from "../regions/language.ts"
import type { Domain } from "../regions/space.ts"
import type { ClaimFacts } from "./scope-space.ts"

const REPOSITORY = followedBy(followedBy(WORD, languageOfText("/")), WORD)

/**
 * The table of claims in the form that spaces need: the claims that every GitHub Actions token has, and good example values.
 * Verification refuses a token that lacks a required claim, so the analysis need not cover such jobs. Closed sets of values
 * are left out: the analysis covers every value that a condition can distinguish, because GitHub can add an event tomorrow and
 * a proof must still hold. `sub` is left out: it repeats other claims, and an example could contradict them.
 */
export const GITHUB_CLAIMS: ClaimFacts = new Map(
  [...GITHUB_ACTIONS.claims].flatMap(([claim, { sent, registered, derived, form, samples }]): [string, Domain][] => {
    const isAlwaysSent = sent === "always" && !registered && form !== "subject"
    if (derived) return []
    if (!isAlwaysSent && samples === undefined) return []
    const domain = { ...(isAlwaysSent && { present: "always" as const }), ...(samples && { samples }) }
    return [[claim, form === "repository" ? { ...domain, within: [REPOSITORY] } : domain]]
  }),
)
