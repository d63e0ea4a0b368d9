import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { actionNode } from "../../support/runner.ts"
import { runCli } from "../run-cli.ts"
import { endJobs, type Job, makeFolder, runJob } from "./job.ts"

// The built command line on a person's own machine: files that SOPS wrote, real keys, and no broker anywhere.

const VECTORS = fileURLToPath(new URL("../../vectors/sops/", import.meta.url))
const KEY_FILE = join(VECTORS, "test-only.age-key.txt")
const OTHER_KEY_FILE = join(VECTORS, "test-only-other.age-key.txt")
const PERSON = "age1mmdmrggcxhdpl9q7h48v6welhj60mfpdqexja3ezqsj9l680fy8ql5najy"
const OTHER = "age1znudlfzzt667rf6yuc24rqt7vwxa2mt5qxwyrh6nh9h98hc5wefsvra0px"
/** Made only for this test. */
const PQ_KEY = "AGE-SECRET-KEY-PQ-1MYT5X4Y2ZRA3PN3NMC4ERMJK2H0V57WNRZT7JG928VA7PUNW9V9SNCAMEY"
const textOf = (file: string) => readFileSync(file, "utf8")
const keyIn = (file: string) => /AGE-SECRET-KEY-\S+/.exec(textOf(file))?.[0] ?? ""
/** The value of `database/password` in `pages.sops.yaml`, backwards: the command's own output hides it as it is. */
const BACKWARDS = "segap eht fo"

interface Folder {
  readonly boundaries?: string
  readonly deny?: string
  readonly connection?: string
  readonly organisation?: string
  readonly issuers?: string
  readonly grant?: string
}

const GRANT = `{ connection: dev, read: { DB_PASSWORD: "pages.sops.yaml#database/password", REGION: "pages.sops.yaml#region_unencrypted" }, ttl: 8h }`

/** A policy folder for people by two keys, and a file that SOPS encrypted for the first of them. */
function policies({ boundaries, deny, connection, organisation, issuers, grant }: Folder = {}): string {
  const folder = makeFolder("daypass-policies-")
  copyFileSync(join(VECTORS, "pages.sops.yaml"), join(folder, "pages.sops.yaml"))
  writeFileSync(
    join(folder, "daypass.yaml"),
    `version: 1
issuers:
${issuers ?? "  laptop: { family: local }"}
connections:
  dev: ${connection ?? `{ provider: sops, key: "env:DEVELOPERS_KEY", people: true }`}
${boundaries === undefined ? "" : `boundaries:\n${boundaries}`}
${organisation ?? ""}
`,
  )
  writeFileSync(
    join(folder, "dev.yaml"),
    `version: 1
issuer: laptop
people: true
allow:
  - { name: developers, when: { sub: [${PERSON}, ${OTHER}] }, grants: [dev-db] }
${deny === undefined ? "" : `deny:\n  - ${deny}`}
grants:
  dev-db: ${grant ?? GRANT}
`,
  )
  return folder
}

/** A module that every Node process loads first. It notes what would reach the network, and lets none of it through. */
function withoutNetwork(): { readonly env: Readonly<Record<string, string>>; noted(): string } {
  const folder = makeFolder("daypass-offline-")
  const [module, log] = [join(folder, "offline.cjs"), join(folder, "noted")]
  writeFileSync(
    module,
    `const { appendFileSync } = require("node:fs")
const stop = (what) => () => { appendFileSync(${JSON.stringify(log)}, what + "\\n"); throw new Error("no network: " + what) }
require("node:net").Socket.prototype.connect = stop("connect")
require("node:dgram").createSocket = stop("dgram")
const dns = require("node:dns")
for (const of of [dns, dns.promises]) for (const name of ["lookup", "resolve", "resolve4", "resolve6"]) of[name] = stop(name)
`,
  )
  return {
    env: { NODE_OPTIONS: `--require=${module}` },
    noted: () => (existsSync(log) ? textOf(log) : ""),
  }
}

const SHOW = [
  actionNode(),
  "-e",
  `const { DB_PASSWORD, REGION } = process.env
console.log([...DB_PASSWORD].reverse().join(""), DB_PASSWORD, REGION)
console.log(Object.keys(process.env).filter((name) => name.includes("AGE")).join(" "))
console.log(require("node:fs").readFileSync(${JSON.stringify(KEY_FILE)}, "utf8").split("\\n").at(-2))`,
]

/** A home folder that stays for several runs, and what it says of them. */
function person(folder = policies()) {
  const home = makeFolder("daypass-home-")
  const state = join(home, "state/daypass/local")
  const env = { HOME: home, XDG_STATE_HOME: join(home, "state"), SOPS_AGE_KEY_FILE: KEY_FILE }
  const run = (args: readonly string[], job: Job = {}) => runJob(args, { ...job, env: { ...env, ...job.env } })
  const local = (...more: readonly string[]) => ["exec", "--policies", folder, "--local", "--grants", "dev-db", ...more]
  return {
    home,
    state,
    run,
    exec: (job: Job = {}) => run(local("--", ...SHOW), job),
    local,
    /** The events of the record, verified. */
    async events(): Promise<string[]> {
      const { out } = await runCli("audit", "export", "--data", state)
      const trail = join(home, "trail.jsonl")
      writeFileSync(trail, `${out}\n`)
      const verified = await runCli("audit", "verify", trail)
      expect([verified.code, verified.out]).toEqual([0, expect.stringContaining('of "https://local.invalid"')])
      return [...out.matchAll(/"event":"([^"]+)","/g)].map(([, event]) => event ?? "")
    },
  }
}

let offline: ReturnType<typeof withoutNetwork>
beforeAll(() => {
  offline = withoutNetwork()
})
afterAll(endJobs)

describe("on a person's own machine", () => {
  test("a command gets what its policy allows, by the person's own key and without any network", async () => {
    const me = person()
    const run = await me.exec({ env: offline.env })
    expect([run.code, run.err, run.left]).toEqual([0, expect.stringContaining("Got dev-db for the command"), []])
    // The command gets the value and no key. What it prints of either is hidden.
    expect(run.out.split("\n")).toEqual([`${BACKWARDS} *** eu-west-1`, "", "***", ""])
    expect(run.out + run.err).not.toContain(keyIn(KEY_FILE))
    expect(offline.noted()).toBe("")
    const files = readdirSync(me.state).filter((name) => !name.startsWith("."))
    expect(files).toContain("ledger.db")
    for (const name of files) expect([name, statSync(join(me.state, name)).mode & 0o777]).toEqual([name, 0o600])
    expect(statSync(me.state).mode & 0o777).toBe(0o700)
    for (const name of files) expect(readFileSync(join(me.state, name)).includes(keyIn(KEY_FILE))).toBe(false)
    expect(await me.events()).toEqual(["exchange.minted", "lease.revoking", "lease.closed"])
  })

  test("the guard of that test finds a command that does reach for the network", async () => {
    const guard = withoutNetwork()
    const job = { env: { ...guard.env, DAYPASS_ID_TOKEN: "a.b.c", GITLAB_CI: "true" } }
    await runJob(["exec", "--broker", "http://127.0.0.1:9", "--grants", "a", "--", "true"], job)
    expect(guard.noted()).toContain("connect")
  })

  test("--files and daypass token deliver the same", async () => {
    const me = person(policies({ grant: `{ connection: dev, read: { K: "pages.sops.yaml#database/password" } }` }))
    const cat = [
      actionNode(),
      "-p",
      `[...require("fs").readFileSync(process.env.DAYPASS_FILES + "/values.env", "utf8")].reverse().join("")`,
    ]
    const files = await me.run(me.local("--files", "--", ...cat))
    expect([files.code, files.out, files.left]).toEqual([0, expect.stringContaining(BACKWARDS), []])
    const token = await me.run(["token", ...me.local().slice(1)])
    expect([token.code, token.out]).toEqual([0, `${[...BACKWARDS].reverse().join("")}\n`])
  })

  test("several commands at the same time share one record", async () => {
    const me = person()
    const runs = await Promise.all([me.exec(), me.exec(), me.exec()])
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0])
    const events = await me.events()
    expect(["exchange.minted", "lease.closed"].map((one) => events.filter((event) => event === one).length)).toEqual([
      3, 3,
    ])
  })

  test("an organisation that demands bound tokens gets them", async () => {
    const run = await person(policies({ organisation: "require_bound_token: true" })).exec()
    expect([run.code, run.out]).toEqual([0, expect.stringContaining(BACKWARDS)])
  })
})

describe("the age key", () => {
  const at = (home: string, ...path: string[]) => {
    mkdirSync(join(home, ...path), { recursive: true })
    copyFileSync(KEY_FILE, join(home, ...path, "keys.txt"))
  }

  test("is found where SOPS keeps it", async () => {
    const [usual, xdg] = [person(), person()]
    at(usual.home, process.platform === "darwin" ? "Library/Application Support" : ".config", "sops/age")
    at(xdg.home, "settings", "sops/age")
    const none = { SOPS_AGE_KEY_FILE: "" }
    const runs = await Promise.all([
      usual.exec({ env: none }),
      xdg.exec({ env: { ...none, XDG_CONFIG_HOME: join(xdg.home, "settings") } }),
      person().exec({ env: { ...none, SOPS_AGE_KEY: `# a comment\nAGE-PLUGIN-X-1QQ\n${keyIn(KEY_FILE)}` } }),
    ])
    for (const { code, out, err } of runs)
      expect([code, out.split(" ***")[0], err]).toEqual([0, BACKWARDS, expect.any(String)])
  })

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ["is nowhere", { SOPS_AGE_KEY_FILE: "" }, "There is no age key in SOPS_AGE_KEY"],
    ["is what a command prints", { SOPS_AGE_KEY_FILE: "", SOPS_AGE_KEY_CMD: "x" }, "SOPS_AGE_KEY_CMD is not run here"],
    [
      "is in a file that is not there",
      { SOPS_AGE_KEY_FILE: "/nowhere/keys" },
      "/nowhere/keys, cannot be read (ENOENT)",
    ],
    ["is damaged", { SOPS_AGE_KEY: "AGE-SECRET-KEY-1CANARY" }, "in the variable SOPS_AGE_KEY that is damaged"],
    ["is of another kind", { SOPS_AGE_KEY_FILE: "", SOPS_AGE_KEY: "AGE-PLUGIN-YUBIKEY-1CANARY" }, "keys of plugins"],
    ["is post-quantum and alone", { SOPS_AGE_KEY_FILE: "", SOPS_AGE_KEY: PQ_KEY }, "only beside an X25519 key"],
  ])("is asked for when it %s", async (_, env, words) => {
    const me = person()
    const { code, out, err, left } = await me.exec({ env })
    expect([code, out, left]).toEqual([125, "", []])
    expect(err).toContain(words)
    expect(err).not.toContain("CANARY")
    expect(existsSync(me.state)).toBe(false)
  })

  test("of another person opens nothing, and the record says that it failed", async () => {
    const me = person()
    const { code, out, err } = await me.exec({ env: { SOPS_AGE_KEY_FILE: OTHER_KEY_FILE } })
    expect([code, out]).toEqual([125, ""])
    expect(err).toContain("can decrypt the file of pages.sops.yaml#database/password")
    expect(await me.events()).toEqual(["exchange.intended", "exchange.failed"])
  })

  test("that no policy names gets nothing, although it opens the file", async () => {
    const folder = policies()
    const file = join(folder, "dev.yaml")
    writeFileSync(file, textOf(file).replace(`${PERSON}, `, ""))
    const me = person(folder)
    const { code, out, err } = await me.exec()
    expect([code, out]).toEqual([125, ""])
    expect(err).toContain("docs/codes.md#not_allowed")
    expect(await me.events()).toEqual(["exchange.denied"])
  })
})

const PEOPLE = (people: string) =>
  `  - { name: development, ${people}when: { iss: "https://local.invalid" }, allow: [{ connection: dev }] }`

describe("the same engine decides", () => {
  test.each<[string, Folder, string]>([
    ["a deny", { deny: `{ name: nobody today, when: { sub: "age1*" } }` }, "nobody today"],
    [
      "a boundary that allows it to jobs only, where another one matches,",
      {
        boundaries: `${PEOPLE("people: false, ")}\n  - { name: short, when: { iss: "https://local.invalid" }, max_ttl: 1h }`,
      },
      "none of them is for people",
    ],
    ["a boundary that does not name people", { boundaries: PEOPLE("") }, "people: true"],
    [
      "a boundary for people, with another connection",
      {
        boundaries: PEOPLE("people: true, ").replace("connection: dev", "connection: other"),
        connection: `{ provider: sops, key: "env:K", people: true }\n  other: { provider: sops, key: "env:K", people: true }`,
      },
      "development",
    ],
  ])("and %s denies", async (_, folder, words) => {
    const me = person(policies(folder))
    const { code, out, err } = await me.exec()
    expect([code, out]).toEqual([125, ""])
    expect(err).toContain("docs/codes.md#not_allowed")
    expect(err).toContain(words)
    expect(await me.events()).toEqual(["exchange.denied"])
  })

  test("and a boundary for jobs alone is not about people", async () => {
    expect((await person(policies({ boundaries: PEOPLE("people: false, max_ttl: 1h, ") })).exec()).code).toBe(0)
  })

  test("and a boundary for people allows, with its longest lifetime", async () => {
    const me = person(policies({ boundaries: PEOPLE("people: true, max_ttl: 1h, ") }))
    expect((await me.exec()).code).toBe(0)
    const { out } = await runCli("audit", "export", "--data", me.state)
    expect(out).toContain('"ttl_seconds":3600')
  })
})

describe("before anything is decided", () => {
  test.each<[string, Folder, string]>([
    [
      "a connection that is closed to people",
      { connection: `{ provider: sops, key: "env:K" }` },
      "dev.yaml:8:25: error: dev-db: the connection dev is closed to people",
    ],
    [
      "a provider that needs a broker",
      {
        connection: `{ provider: identity-token, audiences: ["https://a.example"], people: true }`,
        grant: `{ connection: dev, audience: "https://a.example" }`,
      },
      "dev.yaml:8:25: error: dev-db: the connection dev is of the provider identity-token, which needs a broker",
    ],
  ])("%s is a fault of the folder, shown as daypass check shows it", async (_, parts, words) => {
    const me = person(policies(parts))
    const { code, out, err } = await me.exec()
    expect([code, out]).toEqual([125, ""])
    const [fault] = err.split("\n").filter((line) => line.includes(": error: "))
    expect(fault).toContain(words)
    const checked = await runCli("check", me.local()[2] ?? "")
    expect(checked.out.split("\n")).toContain(fault)
    expect(existsSync(me.state)).toBe(false)
  })

  test.each<[string, readonly string[], string]>([
    [
      "a broker beside it",
      ["--broker", "https://daypass.example.com", "--grants", "a"],
      "`--broker` cannot be used with --local",
    ],
    ["a token beside it", ["--token-file", "x", "--grants", "a"], "`--token-file` cannot be used with --local"],
    ["no grant", [], "`--grants` is missing"],
  ])("%s is refused", async (_, more, words) => {
    const me = person()
    const { code, out, err } = await me.run(["exec", "--policies", policies(), "--local", ...more, "--", "true"])
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain(words)
  })

  test.each<[string, readonly string[], string]>([
    ["--local where the default folder is not there", ["--local"], "policies does not exist"],
    [
      "a folder without --local",
      ["--policies", "x", "--broker", "https://daypass.example.com"],
      "`--policies` is for --local",
    ],
    ["a folder that is not there", ["--policies", "/nowhere", "--local"], "/nowhere does not exist"],
  ])("%s is refused", async (_, options, words) => {
    const { code, out, err } = await person().run(["exec", ...options, "--grants", "a", "--", "true"])
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain(words)
  })

  test("a folder about jobs alone is refused, and says what to add", async () => {
    const folder = policies({
      issuers: `  github: { family: github-actions, url: "https://token.actions.githubusercontent.com", owners: { acme: "1" } }`,
    })
    writeFileSync(
      join(folder, "dev.yaml"),
      `version: 1\nrepository: acme/shop\nrepository_id: "41"\nenvironment: dev\nallow: [{ name: a, grants: [a] }]\ngrants: { a: ${GRANT} }\n`,
    )
    const { code, err } = await person(folder).exec()
    expect([code, err]).toEqual([2, expect.stringContaining("laptop: { family: local }")])
  })
})
