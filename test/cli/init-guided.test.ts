import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { beforeEach, describe, expect, it } from "vitest"
import { CURRENT_KEY } from "../../broker/core/policy/published.ts"
import { type Http, HttpError } from "../../broker/ports/http.ts"
import { Misuse } from "../../cli/arguments.ts"
import type { GuidedOptions } from "../../cli/init/desk.ts"
import { guided } from "../../cli/init/guided.ts"
import { unitText } from "../../cli/init/unit.ts"
import { type Ask, Interrupted } from "../../cli/io.ts"
import { loadPolicies } from "../../cli/policies.ts"
import { folderOf, scriptedIo } from "./run-cli.ts"
import { failed, ScriptedAccount } from "./scripted-account.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const URL_OF_BROKER = "https://daypass.acme.test"
const GIVEN: GuidedOptions = {
  runtime: "edge",
  broker: URL_OF_BROKER,
  repository: "acme/shop",
  "repository-id": "41",
  "owner-id": "9001",
  environment: "production",
  vendor: "aws",
  with: ["account=111122223333", "region=eu-west-1"],
  key: "cloudflare",
}

/** The world of one set-up: a folder, an account, and what answers at the broker's URL. */
let [desk, account] = [undefined as unknown as { cwd: string; home: string }, new ScriptedAccount()]
/** The version of the policies that the broker at the URL decides by; null: nothing answers there. */
let version: (() => string) | null = null
let written: string[] = []

beforeEach(() => {
  const cwd = folderOf({ "daypass-worker-1.2.3/worker/worker.js": "export default {}\n" })
  cpSync(join(ROOT, "release/wrangler.toml"), join(cwd, "daypass-worker-1.2.3/wrangler.toml"))
  desk = { cwd, home: folderOf({}) }
  account = new ScriptedAccount()
  version = null
  written = []
})

const http: Http = async ({ url }) => {
  if (version === null || !url.startsWith(URL_OF_BROKER)) throw new HttpError("unreachable")
  const policies = { version: version(), policies: 1, loaded_at: "2026-11-22T12:00:00.000Z" }
  const body = url.endsWith("/healthz") ? { status: "ok", policies, parts: { keys: { state: "ok" } } } : {}
  return { status: 200, header: () => null, body: new TextEncoder().encode(JSON.stringify(body)) }
}

async function init(options: GuidedOptions = GIVEN, ask?: Ask) {
  const [out, err]: [string[], string[]] = [[], []]
  let now = Date.parse("2026-11-22T12:00:00Z")
  const io = {
    ...scriptedIo({ http, cwd: desk.cwd, env: { HOME: desk.home }, now: () => new Date(now) }),
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    ...(ask === undefined ? {} : { ask }),
  }
  const tools = {
    wranglerFor: account.wranglerFor,
    sight: { addresses: async () => ["203.0.113.7"], certificateEnd: async () => new Date("2027-02-20T00:00:00Z") },
    browse: () => {},
    sleep: async (milliseconds: number) => {
      now += milliseconds
    },
  }
  const code = await guided(options, io, tools).catch((error: unknown) => {
    if (!(error instanceof Misuse)) throw error
    err.push(error.message)
    return 2
  })
  written = [...out, ...err]
  return { code, out: out.join("\n"), err: err.join("\n") }
}

const fileOf = (...path: string[]) => readFileSync(join(desk.cwd, ...path), "utf8")
const kekOf = (worker = "daypass") => account.workers.get(worker)?.get("DAYPASS_KEK")
const folderVersion = () => {
  const loaded = loadPolicies(join(desk.cwd, "policies"))
  return typeof loaded !== "string" && loaded.result.ok ? loaded.result.value.version : "none"
}

describe("daypass init at the edge", () => {
  it("goes from an empty folder to a deployed Worker, and the key is in it before anything is deployed", async () => {
    account.onDeploy = () => {
      version = () => (JSON.parse(account.kv.values.get(CURRENT_KEY) ?? "{}") as { version: string }).version
    }
    const { out } = await init({ ...GIVEN, deploy: true })
    expect(Buffer.from(kekOf() ?? "", "base64")).toHaveLength(32)
    const order = [
      "kv namespace create daypass-policies",
      "secret put DAYPASS_KEK --name daypass",
      `deploy --config ${desk.cwd}/wrangler.toml`,
    ]
    expect(account.calls.filter((call) => order.includes(call))).toEqual(order)
    const [config = ""] = account.deployments
    expect(config).toContain('\nmain = "daypass-worker-1.2.3/worker/worker.js"\n')
    expect(config).toContain(`\nDAYPASS_URL = "${URL_OF_BROKER}"\n`)
    expect(config).toContain(
      '\nroutes = [{ pattern = "daypass.acme.test", custom_domain = true }]\nworkers_dev = false\n',
    )
    expect(config).not.toMatch(/example\.com|<|staging/)
    expect(out).toContain("aws iam create-role --role-name shop-deploy")
    expect(out).toContain(`broker: ${URL_OF_BROKER}\n          grants: aws-deploy`)
    expect(out).toContain("ok    policies: ")
    expect(JSON.stringify([written, account.calls, config]), "the key is nowhere else").not.toContain(kekOf())
  })

  it("can be run again: nothing is made twice, and the key stays", async () => {
    expect((await init()).code).toBe(0)
    const [kek, files] = [kekOf(), readdirSync(desk.cwd, { recursive: true }).sort()]
    account.calls.length = 0
    const { code, out } = await init({ deploy: true })
    expect([code, kekOf(), readdirSync(desk.cwd, { recursive: true }).sort()]).toEqual([1, kek, files])
    expect(account.calls.filter((call) => /secret put|namespace create/.test(call))).toEqual([])
    expect(out).toContain("has its deployment key, which stays as it is")
    expect(account.deployments).toHaveLength(1)
  })

  it("goes on after any call of wrangler that failed, and deploys under the very key that it kept", async () => {
    const key = join(desk.home, "keys/daypass.kek")
    for (let call = 0, ended = 1; ended !== 0 && call < 12; call++) {
      let seen = 0
      account.before = () => (seen++ === call ? failed("✘ [ERROR] the network is gone") : undefined)
      ended = (await init({ ...GIVEN, key })).code
      expect(written.join("\n")).toMatch(ended === 0 ? /^done/ : /wrangler .* failed/)
    }
    account.before = () => undefined
    expect((await init({ ...GIVEN, key })).code).toBe(0)
    expect(readFileSync(key, "utf8")).toBe(`DAYPASS_KEK=${kekOf()}\n`)
    expect(statSync(key).mode & 0o777).toBe(0o600)
    expect(statSync(join(desk.home, "keys")).mode & 0o777).toBe(0o700)
  })

  it("never replaces a key when it cannot see whether there is one", async () => {
    await init()
    const kek = kekOf()
    for (const answer of [
      failed("✘ [ERROR] Authentication error [code: 10000]"),
      failed('Worker "other" not found.'),
      { code: 0, out: "[", err: "" },
    ]) {
      account.before = (command) => (command.startsWith("secret list") ? answer : undefined)
      expect((await init()).code).toBe(1)
    }
    expect(kekOf()).toBe(kek)
  })

  it.each<[string, () => void, GuidedOptions, RegExp]>([
    [
      "a broker of somebody else answers at the URL",
      () => {
        version = () => "f".repeat(64)
      },
      {},
      /nothing in this folder shows that it is yours/,
    ],
    [
      "the account has a Worker of this name",
      () => void account.workers.set("daypass", new Map([["DAYPASS_KEK", "x"]])),
      {},
      /has a Worker daypass already/,
    ],
    [
      "nobody is signed in",
      () => {
        account.isSignedIn = false
      },
      {},
      /run wrangler login/,
    ],
    [
      "wrangler.toml is of something else",
      () => writeFileSync(join(desk.cwd, "wrangler.toml"), 'name = "shop"\n'),
      {},
      /is not one that init wrote/,
    ],
    ["the release is not there", () => {}, { worker: "nowhere" }, /is not the unpacked Worker of a release/],
    [
      "the release is of another version",
      () => writeFileSync(join(desk.cwd, "daypass-worker-1.2.3/wrangler.toml"), 'name = "daypass"\n'),
      {},
      /use the same release for both/,
    ],
    ["the key would be in the folder", () => {}, { key: "./daypass.kek" }, /must never get into a repository/],
    [
      "the key would be in another repository",
      () => mkdirSync(join(desk.home, ".git")),
      { key: "HOME/daypass.kek" },
      /must never get into a repository/,
    ],
    [
      "others can read the key",
      () => {
        writeFileSync(join(desk.home, "k"), "DAYPASS_KEK=x\n")
        chmodSync(join(desk.home, "k"), 0o644)
      },
      { key: "HOME/k" },
      /others can read the key's file/,
    ],
    [
      "the file is no key",
      () => {
        writeFileSync(join(desk.home, "k"), "PASSWORD=1\n", { mode: 0o600 })
      },
      { key: "HOME/k" },
      /init never overwrites one/,
    ],
    [
      "the policies do not load",
      () => {
        mkdirSync(join(desk.cwd, "policies"))
        writeFileSync(join(desk.cwd, "policies/daypass.yaml"), "version: 2\n")
      },
      {},
      /has errors: correct them first/,
    ],
  ])("is refused when %s, and nothing is deployed", async (_, arrange, options, message) => {
    arrange()
    const key = options.key?.replace("HOME", desk.home)
    const { code, err } = await init({ ...GIVEN, deploy: true, ...options, ...(key === undefined ? {} : { key }) })
    expect([code, account.deployments]).toEqual([1, []])
    expect(err).toMatch(message)
    expect(kekOf()).toBe(account.workers.get("daypass")?.get("DAYPASS_KEK") === "x" ? "x" : undefined)
  })

  it.each<[string, GuidedOptions]>([
    ["--runtime", { ...GIVEN, runtime: undefined as never }],
    ["--broker", { runtime: "edge" }],
    ["--broker must have no path", { ...GIVEN, broker: "https://a.test/b" }],
    ["--broker must be", { ...GIVEN, broker: "http://a.test" }],
    ["--broker must be an https URL of yours", { ...GIVEN, broker: "https://daypass.example.com" }],
    ["--broker must be an https URL of yours", { ...GIVEN, broker: "http://127.0.0.1:8787" }],
    ["--repository", { runtime: "edge", broker: URL_OF_BROKER }],
    ["--repository-id and --owner-id together", { ...GIVEN, "owner-id": undefined as never }],
    ["an id must be a number", { ...GIVEN, "repository-id": "41x" }],
    ["--vendor", { ...GIVEN, vendor: "acme" }],
    ["--with account=", { ...GIVEN, with: [] }],
    ["--with account= must be 12 digits", { ...GIVEN, with: ["account=1"] }],
    ['--with "role"', { ...GIVEN, with: ["role"] }],
    ["--key", { ...GIVEN, key: undefined as never }],
    ["--app", { ...GIVEN, app: "all" }],
  ])("without a terminal says that the answer is %s, and exits with 2", async (message, options) => {
    const { code, err } = await init(JSON.parse(JSON.stringify(options)))
    expect([code, err]).toEqual([2, expect.stringContaining(message)])
  })

  it("asks for what no option answers, and stops at any question without a trace of half a step", async () => {
    for (let stop = 0; ; stop++) {
      const asked: string[] = []
      const answer = <Value>(message: string, value: Value): Value => {
        if (asked.push(message) > stop) throw new Interrupted()
        return value
      }
      const said: Record<string, string> = {
        "AWS account id": "111122223333",
        "The broker": URL_OF_BROKER,
        "The repository": "acme/shop",
      }
      const ask: Ask = {
        text: async ({ message, initial, check }) => {
          const text = Object.entries(said).find(([start]) => message.startsWith(start))?.[1] ?? initial ?? ""
          expect(check(text), message).toBeNull()
          return answer(message, text)
        },
        choose: async ({ message, choices }) =>
          answer(message, choices.find(({ value }) => value === "aws")?.value ?? choices[0]?.value ?? ""),
        confirm: async ({ message, initial }) => answer(message, initial),
      }
      const { code } = await init({ "repository-id": "41", "owner-id": "9001" }, ask)
      if (code !== 130) {
        // The last rounds asked only for what the rounds before them had not done.
        expect(account.deployments).toHaveLength(1)
        expect(kekOf()).toBeDefined()
        return
      }
      expect(written.join("\n")).toContain("stopped. What is done stays done")
      if (existsSync(join(desk.cwd, "policies"))) expect(folderVersion()).not.toBe("none")
    }
  })
})

describe("daypass init on Node", () => {
  const node = (): GuidedOptions => ({ ...GIVEN, runtime: "node", key: join(desk.home, "kek") })

  it("makes the key for its owner alone, a unit and the policies, and keeps all of it when it runs again", async () => {
    expect((await init(node())).code).toBe(0)
    const [key, unit] = [readFileSync(join(desk.home, "kek"), "utf8"), fileOf("daypass.service")]
    expect(key).toMatch(/^DAYPASS_KEK=[A-Za-z0-9+/]{43}=\n$/)
    expect(unit).toContain(`--url ${URL_OF_BROKER} --port 8787`)
    expect((await init({ ...node(), workflow: ".github/workflows/deploy.yml" })).code).toBe(0)
    expect([readFileSync(join(desk.home, "kek"), "utf8"), fileOf("daypass.service")]).toEqual([key, unit])
    expect(fileOf(".github/workflows/deploy.yml")).toContain("environment: production")
    expect(written.join("\n")).not.toContain(key.slice(12, -1))
  })

  it("makes no second key, whatever a later run says of it", async () => {
    await init(node())
    const other = join(desk.home, "other")
    expect(await init({ ...node(), key: other })).toMatchObject({
      code: 1,
      err: expect.stringContaining("leave --key out"),
    })
    rmSync(join(desk.home, "kek"))
    expect(await init({})).toMatchObject({ code: 0, out: expect.stringContaining("the broker's machine has it") })
    expect(readdirSync(desk.home)).toEqual([])
  })

  it("says of a broker on this machine that no cloud can reach it", async () => {
    const { code, out } = await init({ ...node(), broker: "http://127.0.0.1:8787" })
    expect([code, out]).toEqual([0, expect.stringContaining("no cloud can reach this machine, run the commands above")])
  })

  it("writes the unit of the examples", () => {
    const directives = (text: string) => text.split("\n").filter((line) => /^[A-Z[ ]/.test(line))
    const example = readFileSync(join(ROOT, "examples/node/daypass.service"), "utf8")
    expect(directives(unitText("https://daypass.example.com", "/k"))).toEqual(directives(example))
  })
})
