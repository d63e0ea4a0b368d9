import { misused, readArguments } from "../arguments.ts"
import { FORMAT_OPTIONS } from "../format.ts"
import type { CliIo } from "../io.ts"
import type { GuidedOptions } from "./desk.ts"

const USAGE = `Usage: daypass init [--runtime edge|node] [--broker URL] [--repository OWNER/REPO] [--environment NAME] [--vendor NAME --with NAME=VALUE ...] [--key WHERE] [--deploy] [...]
       daypass init OWNER/REPO [--environment NAME] [--dir DIR] [--connection NAME] [--repository-id ID --owner-id ID [--branch NAME]] [--format text|json|github] [--json]

Without OWNER/REPO: leads from an empty folder to a broker, a first policy and a workflow. Run it in a folder of your own. It
asks at the terminal for what no option answers; without a terminal, a missing answer is an error that names its option. It
can be stopped and run again: what is done is seen, and stays. It overwrites no file.

  --runtime edge|node      a Cloudflare Worker, or Node
  --broker URL             the broker's public URL
  --repository OWNER/REPO  whose job gets the first credential; its ids come from GitHub, as below
  --environment NAME       the job's environment at GitHub; - for none
  --vendor NAME            aws, google, azure, vault, github or sops
  --with NAME=VALUE        what this vendor needs, once for each; a missing one is named
  --key WHERE              the deployment key: a file outside of repositories, which is made. At the edge, wrangler then
                           gives it to the Worker; cloudflare: without a copy
  --worker DIR             at the edge, the unpacked Worker of a release (default: the one in this folder)
  --worker-name NAME       at the edge, its name (default: daypass)
  --account ID             at the edge, the Cloudflare account, if your login has several
  --jurisdiction NAME      at the edge, where the ledger stays: none, eu, us, fedramp, fedramp-high
  --deploy                 at the edge, publish the policies and deploy
  --app read|mint          make a GitHub App in a browser, and keep its key in the broker's store: to read repositories'
                           policies and environments, or to mint tokens for jobs (--vendor github)
  --workflow FILE          write the workflow to a file of this folder, and do not print it

With OWNER/REPO: writes one more policy into DIR (default: policies), and an organisation file if there is none. Policies
identify repositories by id. The command gets the ids from GitHub, with the token in $GITHUB_TOKEN or $GH_TOKEN; if you
give the ids, it does not ask GitHub. It never overwrites a file, and writes only files that daypass check accepts.
It is for jobs of GitHub Actions. For another CI, copy the organisation file and the policy from that CI's page of the
documentation, write your ids into them, and run daypass check.
Exit codes: 0 done, 1 a file is in the way, a step was refused, or the broker has something to fix, 2 the arguments are
wrong, or the ids are not known, 130 you stopped it.`

const text = { type: "string" } as const

const GUIDED = {
  runtime: text,
  broker: text,
  repository: text,
  vendor: text,
  with: { type: "string", multiple: true },
  key: text,
  worker: text,
  "worker-name": text,
  account: text,
  jurisdiction: text,
  deploy: { type: "boolean" },
  app: text,
  workflow: text,
} as const

const OPTIONS = {
  ...FORMAT_OPTIONS,
  ...GUIDED,
  environment: text,
  dir: text,
  connection: text,
  "repository-id": text,
  "owner-id": text,
  branch: text,
} as const

/** `daypass init`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, OPTIONS, io)
  if (typeof read === "number") return read
  const isShort = read.positionals.length > 0
  const strange = Object.keys(read.options).find((name) =>
    isShort ? name in GUIDED : ["format", "json", "connection"].includes(name),
  )
  if (strange !== undefined)
    return misused(`--${strange} is for init ${isShort ? "without" : "with"} OWNER/REPO`, USAGE, io)
  if (isShort) return (await import("./further-policy.ts")).writeFurtherPolicy(read, USAGE, io)
  const { guided, ownTools } = await import("./guided.ts")
  return guided(read.options as GuidedOptions, USAGE, io, ownTools(io))
}
