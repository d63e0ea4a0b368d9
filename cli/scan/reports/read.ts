import { statSync } from "node:fs"
import { resolve } from "node:path"
import { readRegular } from "../../../action/disk/safe-file.ts"
import { jsonOfUtf8 } from "../../../broker/core/utf8.ts"
import type { CliIo } from "../../io.ts"
import type { Searched } from "../scan-secrets.ts"
import { GITLEAKS, SARIF, TRUFFLEHOG } from "./forms.ts"

/** A report of 100,000 hits has about 60 MB. It is read as a whole. */
const MAX_REPORT_BYTES = 128 * 1024 ** 2

/**
 * The hits of another scanner's report, as if the search had been ours. `-`: standard input. A sentence when it is none: never
 * with words of the report, which are secrets.
 */
export async function readReport(file: string, io: CliIo): Promise<Searched | string> {
  const found = await bytesOf(file, io)
  if (typeof found === "string") return found
  // Windows PowerShell writes a byte order mark.
  const bytes = Buffer.from(found.subarray(0, 3)).toString("hex") === "efbbbf" ? found.subarray(3) : found
  const name = file === "-" ? "the report" : `the report ${file}`
  const [scanner, shape, json] = formOf(bytes)
  if (json === undefined) return `${name} is not JSON, and has no JSON lines`
  if (typeof json === "number") return `${name}: line ${json} is not JSON`
  const read = shape.safeParse(json)
  if (!read.success) {
    const [{ path, message } = { path: [], message: "" }] = read.error.issues
    return `${name} is not one of ${scanner}, as it seems: ${placeOf(path) || "the whole"}: ${message}`
  }
  return { ...NOTHING, hits: read.data, texts: null }
}

const NOTHING = { hasMore: false, unread: [], unreadCount: 0, binaries: 0, links: 0, bytes: 0 }

/** By the shape alone. The JSON is undefined when there is none, and a number for a line that is none. */
function formOf(bytes: Uint8Array): readonly [string, typeof SARIF, unknown] {
  const start = Buffer.from(bytes.subarray(0, 64)).toString("utf8").trimStart()
  const whole = jsonOfUtf8(bytes)
  if (start.startsWith("[")) return ["gitleaks", GITLEAKS, whole]
  if (whole !== undefined && typeof whole === "object" && whole !== null && "runs" in whole)
    return ["SARIF", SARIF, whole]
  return ["trufflehog", TRUFFLEHOG, start.startsWith("{") || start === "" ? linesOf(bytes) : undefined]
}

function linesOf(bytes: Uint8Array): readonly unknown[] | number {
  const lines: unknown[] = []
  let [start, number] = [0, 0]
  while (start < bytes.length) {
    const end = bytes.indexOf(0x0a, start)
    const line = bytes.subarray(start, end === -1 ? bytes.length : end)
    start += line.length + 1
    number++
    if (line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09)) continue
    const json = jsonOfUtf8(line)
    if (json === undefined) return number
    lines.push(json)
  }
  return lines
}

async function bytesOf(file: string, io: CliIo): Promise<Uint8Array | string> {
  const tooLarge = `a report of more than ${MAX_REPORT_BYTES / 1024 ** 2} MiB cannot be read: let the scanner write one for each folder`
  if (file === "-") return (await io.readInput(MAX_REPORT_BYTES)) ?? tooLarge
  if (file === "") return "--report needs the name of a file, or - for standard input"
  const path = resolve(io.cwd, file)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return `${file} does not exist`
  if (!found.isFile()) return `${file} is no file`
  return found.size > MAX_REPORT_BYTES ? tooLarge : (readRegular(path, MAX_REPORT_BYTES) ?? `${file} cannot be read`)
}

/** `[3].locations[0]`, without names that the report chose. */
const placeOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part) =>
      typeof part === "number" ? `[${part}]` : /^[A-Za-z]{1,24}$/.test(String(part)) ? `.${String(part)}` : ".*",
    )
    .join("")
