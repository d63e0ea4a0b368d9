import { titleOf } from "../secrets/kinds.ts"
import type { Remedy } from "../secrets/remedy.ts"
import type { Hit } from "./hit.ts"

export interface Remedied {
  readonly hit: Hit
  readonly remedy: Remedy
}

/** What a hit is, without where it is. */
export function whatOf({ rule, name, commit, entry }: Hit): string {
  const called = name === undefined ? "" : ` (${name})`
  const inside = entry === undefined ? "" : `, in ${entry}`
  return `${titleOf(rule)}${called}${inside}${commit === undefined ? "" : `, since commit ${commit.slice(0, 12)}`}`
}

/** First of all. A secret that was pushed is known, whatever is done to the file. */
export const revokeFirst = ({ commit }: Hit): string =>
  commit === undefined
    ? "If it was ever pushed, revoke it where it was issued."
    : "It is in the history, which clones and forks keep: revoke it where it was issued, first."
