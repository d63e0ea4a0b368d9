import type { IssuerWords } from "../scopes/subject-words.ts"
import type { ComparedIssuer } from "./model.ts"

/**
 * How a diff names issuers: not at all where both sets list the same one and no other. `full` says what became of an issuer
 * and where it is, so that one that is new or gone is never taken for another: `new issuer ghes at https://...`.
 */
export function issuersInWords(issuers: readonly ComparedIssuer[]): { full: IssuerWords; short: IssuerWords } {
  if (issuers.length < 2 && issuers.every(isSame)) return { full: () => null, short: () => null }
  const byName = new Map(issuers.map((one) => [(one.next ?? one.old)?.name ?? "", one]))
  const short = (issuer: string) => `issuer ${issuer}`
  const full = (issuer: string) => {
    const { old, next } = byName.get(issuer) ?? NOWHERE
    if (old === null && next !== null) return `new issuer ${issuer} at ${next.url}`
    if (old !== null && next === null) return `removed issuer ${issuer} at ${old.url}`
    if (old === null || next === null) return short(issuer)
    if (old.url !== next.url) return `issuer ${issuer}, now at ${next.url}, before at ${old.url}`
    return old.name === next.name ? short(issuer) : `issuer ${issuer}, before called ${old.name}`
  }
  return { full, short }
}

/** What became of each issuer that is not the same in both sets, in a sentence. */
export function issuerRemarks(issuers: readonly ComparedIssuer[]): readonly string[] {
  return issuers.flatMap(({ old, next }): string[] => {
    if (old === null) return next === null ? [] : [`Issuer ${next.name} (${next.url}) is new.`]
    if (next === null) return [`Issuer ${old.name} (${old.url}) is removed.`]
    if (old.url !== next.url) return [`Issuer ${next.name} is now at ${next.url}, before at ${old.url}.`]
    return old.name === next.name
      ? []
      : [
          `Issuer ${old.name} (${old.url}) is now called ${next.name}. Its URL is the same, so its jobs are the same, but the sub of their identity tokens is another one.`,
        ]
  })
}

const NOWHERE: ComparedIssuer = { old: null, next: null }

/** `diff` reports a changed family separately. */
const isSame = ({ old, next }: ComparedIssuer): boolean => old?.name === next?.name && old?.url === next?.url
