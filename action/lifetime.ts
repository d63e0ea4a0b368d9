import type { Credential } from "./answer.ts"

/** Says that a policy shortened the lifetime: `15m, less than the requested 1h`. Null when it did not. */
export function shortened({ shortenedToSeconds }: Credential, requested: string | undefined): string | null {
  if (shortenedToSeconds === undefined) return null
  const than = requested === undefined ? "requested" : `requested ${requested}`
  return `${inWords(shortenedToSeconds)}, less than the ${than}`
}

/** In the largest unit that fits: 900 is `15m`. */
function inWords(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600}h`
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}
