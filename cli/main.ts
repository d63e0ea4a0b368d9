import { type CliIo, type Command, EXIT } from "./io.ts"
import { nodeIo } from "./node-io.ts"

const USAGE = `Usage: daypass COMMAND

  init OWNER/REPO [...]         write a repository's first policy, with the ids that GitHub tells
  check DIR [--json]            check a policy folder: every fault, with file, line and column
  test DIR [--json]             run the policy tests of a folder: what fails, and what no test exercises
  explain (--claims FILE | --token -) --policies DIR --grants a,b [...]
                                decide what a job would get, and why: offline, or by asking a broker
  exec --broker URL --grants a,b [...] -- COMMAND
                                run a command with short-lived credentials, in any CI
  token --broker URL --grants a [...]
                                print a credential that is one token, or keep it fresh in a file
  schema [KIND]                 print the JSON Schemas of policies, organisation files and tests
  who-can DIR [...]             every job that can get a grant, a role, a connection
  trust DIR [...]               what clouds and stores must trust, and whom they let in beyond that
  diff OLD NEW [...]            which jobs get more, and which less, by one folder than by the other
  tighten DIR --record FILE [...]
                                what no recorded run used, and the tightest rules that would still have passed
  login --broker URL [...]      sign in at your company's OpenID provider
  logout                        delete the login
  status                        who is signed in, and until when
  stop WHAT --reason TEXT [...] give nothing to a unit, an owner, a connection or all, within 5 seconds
  resume WHAT --reason TEXT     lift a stop
  doctor URL [--policies DIR] [--grant NAME]
                                is the broker reachable, right, and trusted: each line ok, or what to do
  alerts WHAT [...]             who is told of events, where the record goes, and whether it arrives
  scan --issued [PATH...]       look for values that this job's Daypass steps issued and the job left behind
  seal < key.pem                seal a GitHub App's private key for the broker's settings
  push DIR [--dry-run] [...]    publish a policy folder in Workers KV, for brokers at the edge
  migrate survey ORG|REPO|DIR   static secrets: names, ages, uses, and what each becomes
  audit verify FILE [...]       verify an exported audit chain
  audit search FILE [...]       find records: by unit, person, grant, run, time, or by a leaked value
  audit report FILE [...]       evidence for an auditor, as Markdown or JSON
  audit checkpoint --broker URL get the signed checkpoint of the audit trail, verify it, keep it
  audit export [...]            export the audit chain of a broker, or of its storage, as JSON lines
  keys list --broker URL        the broker's signing keys, and what is sealed under which deployment key
  keys rotate --broker URL      publish the next signing key, or let it sign; --now after a theft
  keys retire KID --broker URL  take a signing key out of the key set
  keys reseal --broker URL      after a change of DAYPASS_KEK: seal anew what is under the previous one
  ledger copy --from DIR [...]  copy a Node broker's ledger into a PostgreSQL database

  --help, --version             a command's --help says more

Exit codes: 0 yes, 1 no (faults, denied, broken chain), 2 the command cannot be carried out,
3 a job gets more (diff), or a cloud lets in more (trust). exec ends as its command does.`

// Loaded on demand: the audit commands need node:sqlite, which older Nodes do not have.
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["init", async () => (await import("./init/init.ts")).run],
  ["check", async () => (await import("./check.ts")).run],
  ["test", async () => (await import("./test.ts")).run],
  ["explain", async () => (await import("./explain/explain.ts")).run],
  ["exec", async () => (await import("./exec/exec.ts")).run],
  ["token", async () => (await import("./token.ts")).run],
  ["schema", async () => (await import("./schema.ts")).run],
  ["who-can", async () => (await import("./who-can/who-can.ts")).run],
  ["trust", async () => (await import("./trust/trust.ts")).run],
  ["diff", async () => (await import("./diff/diff.ts")).run],
  ["tighten", async () => (await import("./tighten/tighten.ts")).run],
  ["login", async () => (await import("./login/login.ts")).run],
  ["logout", async () => (await import("./login/logout.ts")).run],
  ["status", async () => (await import("./login/status.ts")).run],
  ["stop", async () => (await import("./operate/stop.ts")).run],
  ["doctor", async () => (await import("./doctor/doctor.ts")).run],
  ["resume", async () => (await import("./operate/resume.ts")).run],
  ["alerts", async () => (await import("./operate/alerts.ts")).run],
  ["scan", async () => (await import("./scan.ts")).run],
  ["seal", async () => (await import("./seal.ts")).run],
  ["push", async () => (await import("./push/push.ts")).run],
  ["migrate survey", async () => (await import("./migrate/survey.ts")).run],
  ["migrate plan", async () => (await import("./migrate/plan.ts")).run],
  ["migrate import", async () => (await import("./migrate/import.ts")).run],
  ["migrate apply", async () => (await import("./migrate/apply.ts")).run],
  ["migrate verify", async () => (await import("./migrate/verify.ts")).run],
  ["audit verify", async () => (await import("./audit/verify.ts")).run],
  ["audit search", async () => (await import("./audit/search/search.ts")).run],
  ["audit report", async () => (await import("./audit/report/report.ts")).run],
  ["audit checkpoint", async () => (await import("./audit/checkpoint.ts")).run],
  ["audit export", async () => (await import("./audit/export.ts")).run],
  ["keys list", async () => (await import("./keys/list.ts")).run],
  ["keys rotate", async () => (await import("./keys/rotate.ts")).run],
  ["keys retire", async () => (await import("./keys/retire.ts")).run],
  ["keys reseal", async () => (await import("./keys/reseal.ts")).run],
  ["ledger copy", async () => (await import("./ledger/copy.ts")).run],
])

/** Runs the command line and resolves to the exit code. */
export async function main(args: readonly string[], version: string, io: CliIo = nodeIo(version)): Promise<number> {
  const [first = "", second = ""] = args
  if (["--help", "-h", "help"].includes(first)) {
    io.out(USAGE)
    return EXIT.ok
  }
  if (first === "--version") {
    io.out(version)
    return EXIT.ok
  }
  const grouped = `${first} ${second}`
  const load = COMMANDS.get(first) ?? COMMANDS.get(grouped)
  if (load === undefined) {
    if (first !== "")
      io.err(
        `daypass: there is no command ${JSON.stringify(["audit", "keys", "ledger", "migrate"].includes(first) ? grouped.trim() : first)}\n`,
      )
    io.err(USAGE)
    return EXIT.usage
  }
  const command = await load()
  return command(args.slice(COMMANDS.has(first) ? 1 : 2), io)
}
