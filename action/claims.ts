import { forLog } from "./escape.ts"
import { membersOf, parseJson } from "./json.ts"

/** The claims of a subject token for the debug log, one a line. Never the token, and nothing of its signature. */
export function claimLines(token: string): string[] {
  const claims = membersOf(parseJson(Buffer.from(token.split(".")[1] ?? "", "base64url"))) ?? []
  return claims.map(
    ([name, value]) => `claim ${forLog(name)}: ${forLog(typeof value === "string" ? value : JSON.stringify(value))}`,
  )
}
