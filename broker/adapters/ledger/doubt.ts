/**
 * How long health tells that older tokens are refused, in milliseconds: until the last of them has expired. GitHub's live
 * for at most ten minutes.
 */
export const DOUBT_SHOWN_MS = 15 * 60_000

/** Tells an operator which tokens a store refuses, because it may have forgotten their use. */
export const refusedBefore = (unixSeconds: number): string =>
  `Tokens that were issued before ${new Date(unixSeconds * 1000).toISOString()} are refused, because some may have been used.`
