import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { webCryptography } from "../../broker/adapters/web/cryptography.ts"
import { createHttp } from "../../broker/adapters/web/http.ts"
import { readConfig } from "../../broker/config/config.ts"
import { type Http, HttpError } from "../../broker/ports/http.ts"
import { GITHUB_APP_KEY } from "../../broker/signing/app-key.ts"
import { connectionSecretContext } from "../../broker/signing/connection-secrets.ts"
import { createSealer } from "../../broker/signing/sealer.ts"
import type { GitHub } from "../../cli/github/api.ts"
import { askRepository } from "../../cli/github/repository.ts"
import { startPage, webOf } from "../../cli/init/app/manifest.ts"
import type { GuidedOptions } from "../../cli/init/desk.ts"
import { guided } from "../../cli/init/guided.ts"
import { startAppManifests } from "../support/github-api/app-manifest.ts"
import { folderOf, scriptedIo } from "./run-cli.ts"

const BROKER = "https://daypass.acme.test"
const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const realHttp = createHttp({ userAgent: "daypass-test" })
const http: Http = async (request) => {
  if (!request.url.startsWith("http://127.0.0.1:")) throw new HttpError("unreachable")
  return realHttp(request)
}

/** What a browser does: opens the page, presses its button, follows GitHub's redirect. Says the last answer. */
async function press(address: string, change: (url: URL) => void = () => {}): Promise<Response> {
  const start = await fetch(address)
  expect(start.headers.get("content-security-policy")).toMatch(
    /^default-src 'none';.*; form-action http:\/\/127\.0\.0\.1:\d+$/,
  )
  const html = (await start.text()).replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
  const [, action = ""] = /action="([^"]*)"/.exec(html) ?? []
  const [, manifest = ""] = /name="manifest" value="(.*)">/.exec(html) ?? []
  const body = new URLSearchParams({ manifest })
  const answer = await fetch(action, { method: "POST", body, redirect: "manual" })
  const back = new URL(answer.headers.get("location") ?? "")
  change(back)
  return await fetch(back)
}

async function init(api: string, options: GuidedOptions, browse: (address: string) => void, desk = folderOf({})) {
  const [said, home]: [string[], string] = [[], folderOf({})]
  const io = {
    ...scriptedIo({ http, cwd: desk, env: { GITHUB_API_URL: api }, now: () => new Date() }),
    out: (text: string) => void said.push(text),
    err: (text: string) => void said.push(text),
  }
  const tools = {
    wranglerFor: () => async () => ({ code: 1, out: "", err: "nobody expected wrangler" }),
    sight: { addresses: async () => [], certificateEnd: async () => null },
    browse,
    sleep: async () => {},
  }
  const given = {
    runtime: "node",
    broker: BROKER,
    repository: "acme/shop",
    "repository-id": "41",
    "owner-id": "9001",
    key: join(home, "kek"),
    ...options,
  }
  const code = await guided(given, io, tools)
  return {
    code,
    said: said.join("\n"),
    desk,
    kek: readFileSync(join(home, "kek"), "utf8").slice("DAYPASS_KEK=".length),
  }
}

const aws: GuidedOptions = { vendor: "aws", with: ["account=111122223333"] }

describe("a GitHub App by its manifest", () => {
  it.each([
    ["read", aws, "github-app.env", GITHUB_APP_KEY, { contents: "read", actions: "read", metadata: "read" }],
    [
      "mint",
      { vendor: "github", with: ["repositories=tap docs", "permission=contents:write"] },
      "deploy-app.env",
      connectionSecretContext("DEPLOY_APP_KEY"),
      { contents: "write", metadata: "read" },
    ],
  ] as const)(
    "to %s is made in a browser, and its key is kept sealed and nowhere else",
    async (app, vendor, file, context, permissions) => {
      const github = await startAppManifests()
      ends.push(() => github.close())
      let last: Promise<Response> | undefined
      const { code, said, desk, kek } = await init(github.api, { ...vendor, app }, (address) => {
        last = press(address)
      })
      expect([code, (await last)?.status]).toEqual([0, 200])
      expect(github.registrations).toMatchObject([
        { organisation: "acme", manifest: { public: false, default_permissions: permissions } },
      ])
      const text = readFileSync(join(desk, file), "utf8")
      expect(statSync(join(desk, file)).mode & 0o777).toBe(0o600)
      const config = readConfig({ DAYPASS_URL: BROKER, DAYPASS_KEK: kek })
      if (!config.ok || config.value.kek === undefined) throw new Error("no key")
      const sealer = await createSealer(config.value.kek, config.value.deployment, webCryptography)
      const opened = await sealer.open(/_KEY=(\S+)\n/.exec(text)?.[1] ?? "", context)
      expect(opened.reveal()).toBe(github.pem.trim())
      expect(said + text).not.toContain("PRIVATE KEY")
      if (app === "mint")
        expect(readFileSync(join(desk, "policies/daypass.yaml"), "utf8")).toContain('app_id: "730001"')

      const again = await init(
        github.api,
        { ...vendor, app, broker: BROKER },
        () => expect.unreachable("a second App"),
        desk,
      ).catch(String)
      expect(github.registrations).toHaveLength(1)
      expect(again).toBeDefined()
    },
  )

  it("takes no answer with another state, and waits on for its own", async () => {
    const github = await startAppManifests()
    ends.push(() => github.close())
    let statuses: Promise<number[]> | undefined
    const { code } = await init(github.api, { ...aws, app: "read" }, (address) => {
      const forged = press(address, (url) => url.searchParams.set("state", "of-another-page"))
      statuses = forged.then(async (one) => [one.status, (await press(address)).status])
    })
    expect([code, await statuses]).toEqual([0, [400, 200]])
  })

  it.each<[string, (app: Record<string, unknown>) => unknown, RegExp]>([
    [
      "belongs to somebody else",
      (app) => ({ ...app, owner: { login: "mallory", id: 1 } }),
      /belongs to mallory, not to acme/,
    ],
    [
      "may more than asked for",
      (app) => ({ ...app, permissions: { contents: "read", actions: "read", members: "write" } }),
      /other permissions than asked for \(members\)/,
    ],
    [
      "comes with a key that is none",
      (app) => ({ ...app, pem: "-----BEGIN RSA PRIVATE KEY-----\nnone" }),
      /the new App's key /,
    ],
    ["is told in another form", () => ({ id: "1" }), /not what its documentation says/],
  ])("is refused when it %s", async (_, change, message) => {
    const github = await startAppManifests(change)
    ends.push(() => github.close())
    const { code, said } = await init(github.api, { ...aws, app: "read" }, (address) => void press(address))
    expect([code, said]).toEqual([1, expect.stringMatching(message)])
  })
})

it.each([
  ["https://api.github.com", "https://github.com"],
  ["https://ghes.example.com/api/v3", "https://ghes.example.com"],
  ["https://api.acme.ghe.com", "https://acme.ghe.com"],
])("the API %s has its pages at %s", (api, web) => expect(webOf(api)).toBe(web))

it("a page of the flow shows what it is given as text", () => {
  const page = startPage('"><script>', { name: "</input><script>'" }, { "<b>": "read" })
  expect(page).not.toMatch(/<script|<b>|value=""/)
})

it.each([
  ["User", true],
  ["Organization", undefined],
])("an App of an owner that GitHub calls %s is made where GitHub has such Apps", async (type, isPersonal) => {
  const owner = { id: 583231, login: "octocat", type }
  const call = async () => ({ id: 41, full_name: "octocat/site", default_branch: "main", owner })
  const facts = await askRepository({ call } as unknown as GitHub, { owner: "octocat", name: "site" })
  expect(facts.ok && facts.value.isPersonal).toBe(isPersonal)
})
