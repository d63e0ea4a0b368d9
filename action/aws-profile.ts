import { readFileSync } from "node:fs"
import { get, type IncomingMessage } from "node:http"

/**
 * The `credential_process` of one AWS profile of `run`: asks the action's loopback endpoint for the session and prints it as
 * AWS's SDKs read it (docs.aws.amazon.com/sdkref: process credential provider). The first argument is the path of a file
 * with the endpoint's URL and authorization, because other users of the machine can read a process's arguments. The second
 * one is the profile's name, which only shows in a list of processes.
 */
function main(path: string): void {
  const question = read(path)
  if (question === null) {
    fail(ENDED)
    return
  }
  const { url = "", authorization = "" } = question
  get(url, { headers: { authorization } }, print).on("error", () => fail(ENDED))
}

const ENDED = "The Daypass step that gave this profile has ended."

/** Null when the file is gone. */
function read(path: string): Record<string, string> | null {
  try {
    return JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return null
  }
}

function print(response: IncomingMessage): void {
  let text = ""
  response.setEncoding("utf8").on("data", (part: string) => {
    text += part
  })
  response.on("end", () => {
    if (response.statusCode !== 200) return fail(`Daypass has no AWS session now (HTTP ${response.statusCode}).`)
    const { Token: SessionToken, ...session } = JSON.parse(text) as Record<string, string>
    process.stdout.write(`${JSON.stringify({ Version: 1, ...session, SessionToken })}\n`)
  })
}

function fail(sentence: string): void {
  process.exitCode = 1
  process.stderr.write(`${sentence}\n`)
}

main(process.argv[2] ?? "")
