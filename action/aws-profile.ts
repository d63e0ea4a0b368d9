import { readFileSync } from "node:fs"
import { get } from "node:http"

/**
 * The `credential_process` of one AWS profile of `run`: asks the action's loopback endpoint for the session and prints it as
 * AWS's SDKs read it (docs.aws.amazon.com/sdkref: process credential provider). The first argument is the path of a file
 * with the endpoint's URL and authorization, because other users of the machine can read a process's arguments. The second
 * one is the profile's name, which only shows in a list of processes.
 */
const { url, authorization } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Record<string, string>
const call = get(url ?? "", { headers: { authorization: authorization ?? "" } }, (response) => {
  let text = ""
  response.setEncoding("utf8").on("data", (part: string) => {
    text += part
  })
  response.on("end", () => {
    if (response.statusCode !== 200) return fail(`Daypass has no AWS session now (HTTP ${response.statusCode}).`)
    const { Token: SessionToken, ...session } = JSON.parse(text) as Record<string, string>
    process.stdout.write(`${JSON.stringify({ Version: 1, ...session, SessionToken })}\n`)
  })
})
call.on("error", () => fail("The Daypass step that gave this profile has ended."))

function fail(sentence: string): void {
  process.exitCode = 1
  process.stderr.write(`${sentence}\n`)
}
