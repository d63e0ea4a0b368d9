import { PLAIN_URL_FORM, parsePlainUrl } from "../core/url.ts"

/** Reports one wrong setting: what to write instead, never its value. */
export type Report = (setting: string, message: string) => void

/**
 * A URL in its plain spelling without a slash at the end, so that it can be compared and extended. Spellings that people
 * copy from elsewhere are corrected: capitals in scheme and host, the default port, slashes at the end.
 */
export function plainUrl(value: string, setting: string, fault: Report): string | undefined {
  const [, origin = "", path = ""] = /^([a-z]+:\/\/[^/]*)(.*?)\/*$/i.exec(value) ?? []
  const spelled = `${origin.toLowerCase().replace(/^(https:.*):443$|^(http:.*):80$/, "$1$2")}${path}`
  if (parsePlainUrl(spelled) !== null) return spelled
  fault(setting, `must be ${PLAIN_URL_FORM}`)
  return undefined
}

/** A short text; undefined when the setting is not there, or wrong. */
export function readText(value: unknown, setting: string, fault: Report): string | undefined {
  if (value === undefined || value === "") return undefined
  if (typeof value === "string" && /^[!-~]{1,256}$/.test(value)) return value
  fault(setting, "must be 1 to 256 printable ASCII characters without spaces")
  return undefined
}
