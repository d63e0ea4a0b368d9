import type { Help, Problem } from "../broker/wire/exchange.ts"
import { memberOf } from "./json.ts"
import { readText, readTrace } from "./trace.ts"

const HELP_URL = /^https?:\/\/[A-Za-z0-9._~:/[\]-]{1,300}$/

/** Reads a problem document; null for any other document. A malformed trace is dropped. */
export function readProblem(
  document: unknown,
): Pick<Problem, "code" | "detail" | "request_id" | "trace" | "help"> | null {
  const code = memberOf(document, "code")
  const requestId = memberOf(document, "request_id")
  if (typeof code !== "string" || !/^[a-z][a-z0-9_]{0,63}$/.test(code)) return null
  const trace = readTrace(memberOf(document, "trace"))
  const help = readHelp(memberOf(document, "help"))
  return {
    code,
    detail: readText(memberOf(document, "detail")),
    request_id: typeof requestId === "string" && /^[A-Za-z0-9._-]{1,128}$/.test(requestId) ? requestId : "",
    ...(trace && { trace }),
    ...(help && { help }),
  }
}

/** The URL is checked again, because it becomes a link. */
function readHelp(value: unknown): Help | null {
  const url = memberOf(value, "url")
  if (typeof url !== "string" || !HELP_URL.test(url) || !URL.canParse(url)) return null
  const text = readText(memberOf(value, "text"))
  return { url, ...(text !== "" && { text }) }
}
