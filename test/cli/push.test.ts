import { generateKeyPairSync } from "node:crypto"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { createKvPolicySource } from "../../broker/adapters/cloudflare/kv-policy-source.ts"
import { compiledPolicy } from "../../broker/core/policy/compiled.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { CURRENT_KEY } from "../../broker/core/policy/published.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { loadPolicies } from "../../cli/policies.ts"
import { published as publishedForm } from "../../cli/push/publication.ts"
import { KEEP_RETIRED_SECONDS } from "../../cli/push/publish.ts"
import { push } from "../../cli/push/push.ts"
import { installedWrangler } from "../../cli/push/wrangler.ts"
import { job } from "../core/job.ts"
import { clockOf } from "../support/clock.ts"
import { type CliRun, folderOf, ORGANISATION, POLICY, runWork, scriptedIo } from "./run-cli.ts"
import { ACCOUNT, ScriptedWrangler } from "./scripted-wrangler.ts"

const NOON = Date.parse("2026-11-22T12:00:00Z")
const policyOf = (id: string, text = POLICY) =>
  text.replaceAll("octo-repo", `repo-${id}`).replace('"456789"', `"${id}"`)
const FILES = { "daypass.yaml": ORGANISATION, "1.yaml": policyOf("1"), "2.yaml": policyOf("2") }
const OLD = folderOf(FILES)
const TRUNK = POLICY.replace("refs/heads/main", "refs/heads/trunk")
/** 1 changed, 2 went, 3 came. */
const NEW = folderOf({ "daypass.yaml": ORGANISATION, "1.yaml": policyOf("1", TRUNK), "3.yaml": policyOf("3") })

async function run(
  wrangler: ScriptedWrangler,
  args: readonly string[],
  seconds = 0,
  env: Readonly<Record<string, string>> = {},
): Promise<CliRun> {
  const out: string[] = []
  const err: string[] = []
  const io = {
    ...scriptedIo({ now: () => new Date(NOON + seconds * 1000) }),
    readFile: async (path: string) => readFileSync(path),
    env,
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
  }
  const code = await runWork("push", args, io, (given) => push(given, io, wrangler.run))
  return { code, out: out.join("\n"), err: err.join("\n") }
}

async function published(...folders: string[]): Promise<ScriptedWrangler> {
  const wrangler = new ScriptedWrangler()
  for (const folder of folders) expect((await run(wrangler, [folder])).code).toBe(0)
  wrangler.calls.length = 0
  wrangler.states.length = 0
  return wrangler
}

const versionOf = (folder: string) => publishedForm(setIn(folder), new Date(0)).current.version

function setIn(folder: string): PolicySet {
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string" || !loaded.result.ok) throw new Error("the folder loads")
  return loaded.result.value
}

const commandsOf = ({ calls }: ScriptedWrangler) => calls.map((args) => args.slice(1, 3).join(" "))
const versionIn = (values: ReadonlyMap<string, string>) =>
  (JSON.parse(values.get(CURRENT_KEY) ?? "{}") as { version?: string }).version
const repositoryKeys = ({ values }: ScriptedWrangler, id: string) =>
  [...values.keys()].filter((key) => key.startsWith(`repository/github/${id}/`))

/** What a broker that knows nothing yet decides jobs by, in this state of the store. */
async function seenIn(values: ReadonlyMap<string, string>, publishers: readonly string[] = []): Promise<string> {
  const store = { get: async (key: string) => values.get(key) ?? null }
  const source = createKvPolicySource(store, {
    clock: clockOf(() => new Date(NOON + 3600_000)),
    providers: PROVIDERS,
    floor: { raiseFloor: async () => true },
    publishers,
    log: () => {},
  })
  const snapshot = await source.snapshot()
  return seenOf(snapshot.version, (id) => snapshot.policiesOf(subject(id)))
}

const subject = (unitId: string) => job({ unitId, owner: "octo-org", ownerId: "123456" })

async function seenOf(
  version: string,
  policiesOf: (id: string) => Promise<{ readonly policies: readonly Parameters<typeof compiledPolicy>[0][] }>,
): Promise<string> {
  const seen: unknown[] = [version]
  for (const id of ["1", "2", "3", "4"]) seen.push((await policiesOf(id)).policies.map(compiledPolicy))
  return JSON.stringify(seen)
}

const byRights = (folder: string) => {
  const set = setIn(folder)
  return seenOf(versionOf(folder), async (id) => ({ policies: set.policiesOf(subject(id)) }))
}

describe("daypass push", () => {
  it("publishes a folder: what current names first, then current", async () => {
    const wrangler = new ScriptedWrangler()
    const { code, out, err } = await run(wrangler, [OLD])
    expect(code).toBe(0)
    expect(out.split("\n")).toEqual([
      `version none -> ${versionOf(OLD)}`,
      "added    octo-org/repo-1 (github 1)",
      "added    octo-org/repo-2 (github 2)",
      expect.stringMatching(/^Published version [0-9a-f]{64}: 3 keys written, 0 deleted\./),
    ])
    expect(out + err).not.toContain(ACCOUNT)
    expect(commandsOf(wrangler)).toEqual([
      "bulk get",
      "key list",
      "bulk put",
      "bulk get",
      "bulk get",
      "key list",
      "key put",
    ])
    expect(wrangler.states.map(versionIn)).toEqual([undefined, versionOf(OLD)])
    expect(await seenIn(wrangler.values)).toBe(await byRights(OLD))
  })

  it("writes nothing when the same is already in force", async () => {
    const wrangler = await published(OLD)
    const { code, out } = await run(wrangler, [OLD], 3600)
    expect(code).toBe(0)
    expect(out).toMatch(/is already in force/)
    expect(commandsOf(wrangler)).toEqual(["bulk get"])
  })

  it("writes what changed and current, prints the changes, and leaves the keys of the set before", async () => {
    const wrangler = await published(OLD)
    const first = new Map(wrangler.values)
    const { code, out } = await run(wrangler, [NEW], 60)
    expect(code).toBe(0)
    expect(out.split("\n").slice(0, 4)).toEqual([
      `version ${versionOf(OLD)} -> ${versionOf(NEW)}`,
      "added    octo-org/repo-3 (github 3)",
      "changed  octo-org/repo-1 (github 1)",
      "removed  octo-org/repo-2 (github 2)",
    ])
    expect(out).toMatch(/^\+ MORE {2}octo-org\/repo-3/m)
    expect(out).toMatch(/^- LESS {2}octo-org\/repo-2/m)
    expect(out).toMatch(/gives? more, .* gives? less\./)
    expect(out).toContain("3 keys written, 0 deleted")
    expect([...wrangler.values.keys()]).toEqual(expect.arrayContaining([...first.keys()]))
    expect(await seenIn(wrangler.values)).toBe(await byRights(NEW))
    // A broker that still decides by the current of before finds what it names.
    expect(await seenIn(new Map([...wrangler.values, [CURRENT_KEY, first.get(CURRENT_KEY) ?? ""]]))).toBe(
      await byRights(OLD),
    )
  })

  it("deletes what neither the new set nor the one before names, once nobody can decide by it any more", async () => {
    const wrangler = await published(OLD)
    const [oldest = ""] = repositoryKeys(wrangler, "2")
    wrangler.values.set("repository/github/9/0123", "left by a push that failed")
    wrangler.values.set("somebody else's", "key")
    await run(wrangler, [NEW], 60)
    const third = folderOf({ "daypass.yaml": ORGANISATION, "3.yaml": policyOf("3") })
    const early = await run(wrangler, [third], 60 + KEEP_RETIRED_SECONDS - 1)
    expect(early.out).toContain("1 key written, 0 deleted")
    expect(wrangler.values.has(oldest)).toBe(true)
    const { code, out } = await run(wrangler, [NEW], 60 + 2 * KEEP_RETIRED_SECONDS)
    expect(code).toBe(0)
    expect(out).toContain("2 keys written, 3 deleted")
    expect(wrangler.values.has(oldest)).toBe(false)
    expect([...wrangler.values.keys()].sort()).toEqual([
      CURRENT_KEY,
      expect.stringMatching(/^repository\/github\/1\//),
      expect.stringMatching(/^repository\/github\/3\//),
      "somebody else's",
    ])
    expect(await seenIn(wrangler.values)).toBe(await byRights(NEW))
  })

  it("changes current alone when only the organisation file does, and says so", async () => {
    const wrangler = await published(OLD)
    const folder = folderOf({ ...FILES, "daypass.yaml": ORGANISATION.replace("eu-west-1", "eu-west-2") })
    const { out } = await run(wrangler, [folder])
    expect(out).toContain("changed  the organisation file")
    expect(out).toContain("1 key written, 0 deleted")
    expect(commandsOf(wrangler)).toEqual(["bulk get", "bulk get", "key put"])
  })

  it("publishes a set that is later than the one before, even if this machine's clock is a little behind", async () => {
    const wrangler = await published(OLD)
    const at = () => (JSON.parse(wrangler.values.get(CURRENT_KEY) ?? "{}") as { published_at: string }).published_at
    const before = at()
    expect((await run(wrangler, [NEW], -300)).code).toBe(0)
    expect(at() > before).toBe(true)
  })

  it("does not publish beside a set from the future, which no broker takes, unless it must", async () => {
    const wrangler = await published(OLD)
    const { code, out } = await run(wrangler, [NEW], -3600)
    expect([code, out]).toEqual([1, expect.stringContaining("later than this machine's clock by more than 10 minutes")])
    expect(wrangler.states).toEqual([])
    expect((await run(wrangler, [NEW, "--all"], -3600)).code).toBe(0)
    expect(await seenIn(wrangler.values)).toBe(await byRights(NEW))
  })

  it("prints the changes of a dry run, and writes nothing", async () => {
    const wrangler = await published(OLD)
    const { code, out } = await run(wrangler, [NEW, "--dry-run"])
    expect(code).toBe(0)
    expect(out).toContain("changed  octo-org/repo-1")
    expect(out).toContain("dry run")
    expect(wrangler.states).toEqual([])
  })

  it("refuses a folder with faults, and asks nobody", async () => {
    const wrangler = new ScriptedWrangler()
    const folder = folderOf({ ...FILES, "bad.yaml": POLICY.replace("ttl: 1h", "tll: 1h") })
    const { code, out } = await run(wrangler, [folder])
    expect(code).toBe(1)
    expect(out).toMatch(/bad\.yaml:16:5: error: .*\n1 error: nothing was published\.$/)
    expect(JSON.parse((await run(wrangler, [folder, "--json"])).out)).toMatchObject({
      ok: false,
      published: false,
      findings: [{ code: "key_unknown" }],
    })
    expect(wrangler.calls).toEqual([])
  })

  it("writes the same as JSON, with nothing beside it", async () => {
    const GITHUB = { name: "github", family: "github-actions", url: "https://token.actions.githubusercontent.com" }
    const wrangler = await published(OLD)
    const { out } = await run(wrangler, [NEW, "--json"])
    expect(JSON.parse(out)).toEqual({
      ok: true,
      published: true,
      dry_run: false,
      previous_version: versionOf(OLD),
      version: versionOf(NEW),
      organisation_changed: false,
      wide_changed: false,
      added: [{ issuer: "github", unit_kind: "repository", unit_id: "3", unit: "octo-org/repo-3" }],
      changed: [{ issuer: "github", unit_kind: "repository", unit_id: "1", unit: "octo-org/repo-1" }],
      removed: [{ issuer: "github", unit_kind: "repository", unit_id: "2", unit: "octo-org/repo-2" }],
      diff: {
        widens: true,
        narrows: true,
        changes: expect.arrayContaining([expect.objectContaining({ direction: "wider" })]),
        limits_differ: false,
        issuers: [{ old: GITHUB, new: GITHUB }],
      },
      keys: { written: 3, deleted: 0 },
      findings: [],
    })
  })

  it("reads more repositories than one request takes in several", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 230 }, (_, index) => [`${index + 1}.yaml`, policyOf(String(index + 1))]),
    )
    const wrangler = new ScriptedWrangler()
    const folder = folderOf({ "daypass.yaml": ORGANISATION, ...files })
    const { code, out } = await run(wrangler, [folder])
    expect(code).toBe(0)
    expect(out).toContain("added    and 180 repositories more")
    expect(commandsOf(wrangler).filter((command) => command === "bulk get")).toHaveLength(1 + 3 + 1)
    expect((await run(wrangler, [OLD], 1)).out).toContain("removed  and 178 repositories more")
  })

  it.each([
    ["the namespace that wrangler.toml binds", [], ["--binding", "POLICIES", "--preview=false", "--remote"]],
    [
      "another binding of another environment",
      ["--binding", "RULES", "--env", "production", "--config", "edge/wrangler.toml"],
      ["--binding", "RULES", "--preview=false", "--remote", "--env", "production", "--config", "edge/wrangler.toml"],
    ],
    [
      "a namespace by its id, on this machine",
      ["--namespace-id", "abc", "--local", "--persist-to", "state"],
      ["--namespace-id", "abc", "--local", "--persist-to", "state"],
    ],
  ])("talks about %s, in every call the same", async (_, args, target) => {
    const wrangler = new ScriptedWrangler()
    expect((await run(wrangler, [OLD, ...args])).code).toBe(0)
    for (const call of wrangler.calls) expect(call.slice(-target.length)).toEqual(target)
  })

  it("runs wrangler so that no secret is in the log that it writes", async () => {
    const script = "console.log(process.env.WRANGLER_LOG_SANITIZE, process.env.WRANGLER_LOG)"
    const cwd = folderOf({ "node_modules/wrangler/bin/wrangler.js": script })
    const env = { WRANGLER_LOG_SANITIZE: "false", WRANGLER_LOG: "debug" }
    expect((await installedWrangler({ cwd, env })([])).out).toBe("true log\n")
  })

  it.each([
    ["no folder where the default one is not there", [], /policies does not exist/],
    ["two folders", [OLD, NEW], /too many arguments/],
    ["a folder that is not there", ["/nonexistent"], /does not exist/],
    ["two namespaces", [OLD, "--binding", "A", "--namespace-id", "b"], /give only one/],
    ["a place for data that is elsewhere", [OLD, "--persist-to", "x"], /--local/],
    ["an empty name", [OLD, "--env", ""], /--env needs a value/],
    ["an unknown option", [OLD, "--force"], /--force/],
  ])("ends with 2 for %s, and asks nobody", async (_, args, message) => {
    const wrangler = new ScriptedWrangler()
    const { code, out, err } = await run(wrangler, args)
    expect([code, out]).toEqual([2, ""])
    expect(err).toMatch(message)
    expect(wrangler.calls).toEqual([])
  })
})

describe("daypass push --sign", () => {
  const pair = generateKeyPairSync("ed25519")
  const pem = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString()
  const publisher = pair.publicKey.export({ type: "spki", format: "der" }).toString("base64")
  const keyIn = (text: string) => {
    const file = join(mkdtempSync(join(tmpdir(), "daypass-sign-")), "publisher.pem")
    writeFileSync(file, text)
    return file
  }

  it.each<[string, () => [readonly string[], Readonly<Record<string, string>>]]>([
    ["in a file", () => [["--sign", keyIn(pem)], {}]],
    ["in the environment", () => [[], { DAYPASS_PUBLISHER_KEY: pem }]],
    ["in a file, whatever is in the environment", () => [["--sign", keyIn(pem)], { DAYPASS_PUBLISHER_KEY: "another" }]],
  ])("signs with a key %s, so that brokers that ask for a signature take it", async (_, place) => {
    const [args, env] = place()
    const wrangler = new ScriptedWrangler()
    expect((await run(wrangler, [OLD, ...args], 0, env)).code).toBe(0)
    expect(await seenIn(wrangler.values, [publisher])).toBe(await byRights(OLD))
    // The same set again writes nothing, and leaves the signature.
    expect((await run(wrangler, [OLD, ...args], 60, env)).out).toContain("already in force")
  })

  it("signs what was published without a signature before", async () => {
    const wrangler = await published(OLD)
    await expect(seenIn(wrangler.values, [publisher])).rejects.toThrow("not signed")
    expect((await run(wrangler, [OLD, "--sign", keyIn(pem)], 60)).out).toContain("1 key written")
    expect(await seenIn(wrangler.values, [publisher])).toBe(await byRights(OLD))
  })

  it.each([
    ["is not there", "/nonexistent/publisher.pem", /cannot be read/],
    ["is no key", keyIn("secret words"), /is not an Ed25519 private key/],
    [
      "is of another kind",
      keyIn(
        generateKeyPairSync("ec", { namedCurve: "P-256" })
          .privateKey.export({ type: "pkcs8", format: "pem" })
          .toString(),
      ),
      /is not an Ed25519 private key/,
    ],
    [
      "is the public half",
      keyIn(pair.publicKey.export({ type: "spki", format: "pem" }).toString()),
      /is not an Ed25519 private key/,
    ],
  ])("ends with 2 when the key %s, asks nobody, and repeats nothing of it", async (_, file, message) => {
    const wrangler = new ScriptedWrangler()
    const { code, out, err } = await run(wrangler, [OLD, "--sign", file])
    expect([code, out]).toEqual([2, ""])
    expect(err).toMatch(message)
    expect(err).not.toContain("secret words")
    expect(wrangler.calls).toEqual([])
  })
})

describe("daypass push, when something fails", () => {
  const FAILURE = { code: 1, out: "", err: "ERROR A request to the Cloudflare API failed.\n##[add-path]/tmp" }

  it("shows readers the old set or the new one, whichever call fails, and the old one until current is written", async () => {
    const whole = await published(OLD)
    await run(whole, [NEW], 60 + KEEP_RETIRED_SECONDS)
    const [old, young] = [await byRights(OLD), await byRights(NEW)]
    expect(whole.calls.length).toBeGreaterThan(6)
    for (let failing = 0; failing < whole.calls.length; failing++) {
      const wrangler = await published(OLD)
      wrangler.before = (call) => (call === failing ? FAILURE : undefined)
      const { code, err } = await run(wrangler, [NEW], 60 + KEEP_RETIRED_SECONDS)
      for (const state of wrangler.states) expect([old, young]).toContain(await seenIn(state))
      expect(await seenIn(wrangler.values)).toBe(old)
      expect(code).toBe(2)
      expect(err).toContain("A request to the Cloudflare API failed.")
      expect(err).not.toContain("##[")
      // And pushing again mends it.
      wrangler.before = () => undefined
      expect((await run(wrangler, [NEW], 60 + KEEP_RETIRED_SECONDS)).code).toBe(0)
      expect(await seenIn(wrangler.values)).toBe(young)
    }
  })

  it("never takes an error for an empty store", async () => {
    const outputs = ["", "{", "null", "[]", '"Value not found"', '{"current": 5}', '{"current": {"value": 5}}']
    for (const out of outputs) {
      const wrangler = await published(OLD)
      wrangler.before = (call) => (call === 0 ? { code: 0, out, err: "" } : undefined)
      const { code, err } = await run(wrangler, [NEW])
      expect([code, err]).toEqual([2, expect.stringContaining("wrangler's answer")])
      expect(wrangler.states).toEqual([])
    }
  })

  it("does not believe that current is absent while the namespace lists it", async () => {
    const wrangler = await published(OLD)
    wrangler.before = (call) => (call === 0 ? { code: 0, out: '{"current": null}', err: "" } : undefined)
    const { code, err } = await run(wrangler, [NEW])
    expect([code, err]).toEqual([2, expect.stringContaining("try again in a minute")])
    expect(wrangler.states).toEqual([])
  })

  it.each(["null", "object", "nothing"] as const)("reads an answer in which absent keys are %s", async (absentAs) => {
    const wrangler = new ScriptedWrangler()
    wrangler.absentAs = absentAs
    expect((await run(wrangler, [OLD])).code).toBe(0)
    expect((await run(wrangler, [NEW], 1)).out).toContain("changed  octo-org/repo-1")
  })

  it("finds keys that were not written although wrangler said so, and leaves the old set in force", async () => {
    const wrangler = await published(OLD)
    wrangler.forgets = (key) => key.includes("/3/")
    const { code, err } = await run(wrangler, [NEW])
    expect([code, err]).toEqual([2, expect.stringContaining("1 of 2 keys cannot be read back")])
    expect(await seenIn(wrangler.values)).toBe(await byRights(OLD))
  })

  it("stops with 1 when somebody else published meanwhile, and leaves theirs in force", async () => {
    const wrangler = await published(OLD)
    const theirs = folderOf({ ...FILES, "1.yaml": policyOf("1", POLICY.replace("ttl: 1h", "ttl: 30m")) })
    const other = await published(OLD, theirs)
    wrangler.before = (_, command) => {
      if (command === "kv bulk put") for (const [key, value] of other.values) wrangler.values.set(key, value)
      return undefined
    }
    const { code, out } = await run(wrangler, [NEW])
    expect([code, out]).toEqual([1, expect.stringContaining("Another push published")])
    expect(await seenIn(wrangler.values)).toBe(await byRights(theirs))
  })

  it("says that it is not known what is in force when the last step fails", async () => {
    const wrangler = await published(OLD)
    wrangler.before = (_, command) => (command === "kv key put" ? FAILURE : undefined)
    expect((await run(wrangler, [NEW])).err).toContain("not known which policies are in force")
  })

  it("has published when only old keys cannot be deleted, and says so", async () => {
    const wrangler = await published(OLD)
    wrangler.values.set("repository/github/9/0123", "left")
    wrangler.before = (_, command) => (command === "kv bulk delete" ? FAILURE : undefined)
    const { code, out, err } = await run(wrangler, [NEW], KEEP_RETIRED_SECONDS)
    expect([code, out]).toEqual([0, expect.stringContaining("Published version")])
    expect(err).toContain("unused keys are left")
    expect(await seenIn(wrangler.values)).toBe(await byRights(NEW))
  })

  it.each([
    ["what nobody can read", "{", /cannot be read/],
    ["an earlier format", '{"format":1}', /older version of Daypass: push .* with --all/],
    ["a later format", '{"format":4}', /newer version/],
  ])("replaces %s only with --all", async (_, current, message) => {
    const wrangler = await published(OLD)
    wrangler.values.set(CURRENT_KEY, current)
    const { code, out } = await run(wrangler, [NEW])
    expect([code, out]).toEqual([1, expect.stringMatching(message)])
    expect(wrangler.states).toEqual([])
    expect((await run(wrangler, [NEW, "--all"])).code).toBe(0)
    expect(await seenIn(wrangler.values)).toBe(await byRights(NEW))
  })

  it("writes every key with --all, so that damaged ones are good again", async () => {
    const wrangler = await published(OLD)
    const [key = ""] = repositoryKeys(wrangler, "1")
    wrangler.values.set(key, "damaged")
    const { code, out } = await run(wrangler, [OLD, "--all"])
    expect([code, out]).toEqual([0, expect.stringContaining("3 keys written")])
    expect(await seenIn(wrangler.values)).toBe(await byRights(OLD))
  })

  it("publishes over a set of which some keys are damaged, and says which", async () => {
    const wrangler = await published(OLD)
    for (const key of repositoryKeys(wrangler, "2")) wrangler.values.delete(key)
    const { code, err } = await run(wrangler, [NEW])
    expect(code).toBe(0)
    expect(err).toContain("github 2: The stored policies of a unit differ from the published ones")
    expect(await seenIn(wrangler.values)).toBe(await byRights(NEW))
  })

  it("says what to do when there is no wrangler", async () => {
    const wrangler = new ScriptedWrangler()
    wrangler.before = () => {
      throw Object.assign(new Error("spawn npx ENOENT"), { code: "ENOENT" })
    }
    const { code, err } = await run(wrangler, [OLD])
    expect([code, err]).toEqual([2, expect.stringContaining("npm install wrangler@4")])
  })
})
