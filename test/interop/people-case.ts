import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Browser, chromium, type Page } from "playwright-core"
import { startNodeBroker } from "../support/broker-node.ts"
import { CLIENT, openIdProvider } from "../support/openid/provider.ts"
import type { Check } from "./run.ts"
import { installSystemTool } from "./tools.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const NODE = join(ROOT, "node_modules/.bin/node")
const TIMEOUT_MS = 30_000

/** @throws when it cannot be had */
export const installBrowser = (): Promise<void> => installSystemTool("chromium", "chromium")

/**
 * `daypass login` as people run it: the command in a process of its own, a certified OpenID provider (`oidc-provider`), a real
 * Chromium that follows every redirect, and a broker that serves who signed in.
 */
export async function peopleCase(_: string, check: Check): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "people-"))
  const provider = await openIdProvider()
  const policies = join(folder, "policies")
  mkdirSync(policies)
  writeFileSync(join(policies, "daypass.yaml"), organisation(provider.url))
  writeFileSync(join(policies, "people.yaml"), POLICY)
  const broker = await startNodeBroker({ policies })
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    // As root, which containers often are, Chromium starts no sandbox. It opens pages of this machine alone.
    chromiumSandbox: process.getuid?.() !== 0,
  })
  const world: World = { browser, home: (name) => join(folder, name), brokerUrl: broker.url }
  try {
    await check("a person signs in in Chromium, at the provider that the broker names", () => signsIn(world))
    await check("a person cancels in Chromium, and nothing is kept", () => cancels(world))
    await check("a person types the code in Chromium for a machine without a browser", () => typesCode(world))
  } finally {
    await browser.close()
    await broker.stop()
    await provider.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const organisation = (issuer: string) => `version: 1
issuers:
  staff: { family: openid, url: "${issuer}", audience: ${CLIENT} }
connections:
  oidc: { provider: identity-token, audiences: ["https://dev.example.com"], people: true }
`

const POLICY = `version: 1
people: true
allow:
  - { name: engineers, when: { groups: engineering }, grants: [token] }
grants:
  token: { connection: oidc, audience: "https://dev.example.com", ttl: 5m }
`

interface World {
  readonly browser: Browser
  readonly brokerUrl: string
  home(name: string): string
}

async function signsIn(world: World): Promise<void> {
  const login = daypass(world.home("one"), "login", "--no-browser", "--broker", world.brokerUrl)
  const [address = ""] = await login.says(/http:\/\/\S+\/auth\?\S+/)
  await inBrowser(world, address, async (page) => {
    await fillIn(page)
    await page.getByRole("button", { name: "Continue" }).click()
    await page.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\/callback\?/)
    assert.equal((await page.textContent("body"))?.trim(), "You are signed in. You can close this window.")
  })
  assert.equal(await login.ended, 0)
  const file = join(world.home("one"), ".local/state/daypass/login.json")
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const status = daypass(world.home("one"), "status")
  assert.equal(await status.ended, 0)
  assert.match(status.text(), /^Signed in as person@example\.com \(id person\)$/m)
  const logout = daypass(world.home("one"), "logout")
  assert.equal(await logout.ended, 0)
  assert.equal(statSync(file, { throwIfNoEntry: false }), undefined)
}

async function cancels(world: World): Promise<void> {
  const login = daypass(world.home("two"), "login", "--no-browser", "--broker", world.brokerUrl)
  const [address = ""] = await login.says(/http:\/\/\S+\/auth\?\S+/)
  await inBrowser(world, address, async (page) => {
    await page.getByRole("link", { name: "Cancel" }).click()
    await page.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\/callback\?/)
    assert.equal((await page.textContent("body"))?.trim(), "You are not signed in. The terminal says why.")
  })
  assert.equal(await login.ended, 1)
  assert.match(login.text(), /the sign-in was refused, by you or by the provider \(access_denied\)/)
  assert.equal(statSync(join(world.home("two"), ".local"), { throwIfNoEntry: false }), undefined)
}

async function typesCode(world: World): Promise<void> {
  const login = daypass(world.home("three"), "login", "--device", "--broker", world.brokerUrl)
  const [, address = "", code = ""] = await login.says(/Open this address[^\n]*\n(\S+)\n[^\n]*: (\S+)\n/)
  await inBrowser(world, address, async (page) => {
    await page.locator("input[name=user_code]").fill(code)
    await page.getByRole("button", { name: "Go on" }).click()
    await page.locator("input[name=confirm]").waitFor({ state: "attached" })
    await page.getByRole("button", { name: "Go on" }).click()
    await fillIn(page)
    await page.getByRole("button", { name: "Continue" }).click()
    await page.getByText("You are signed in.").waitFor()
  })
  assert.equal(await login.ended, 0)
  assert.match(login.text(), /^Signed in as person@example\.com \(id person\) until /m)
}

async function inBrowser({ browser }: World, address: string, act: (page: Page) => Promise<void>): Promise<void> {
  // Each person has cookies of its own.
  const context = await browser.newContext()
  context.setDefaultTimeout(TIMEOUT_MS)
  try {
    const page = await context.newPage()
    await page.goto(address)
    await act(page)
  } finally {
    await context.close()
  }
}

async function fillIn(page: Page): Promise<void> {
  await page.locator("input[name=login]").fill("person")
  await page.locator("input[name=password]").fill("any")
  await page.getByRole("button", { name: "Sign-in" }).click()
}

/** The command line of this checkout, on the machine of a person whose home is the given folder. */
function daypass(home: string, ...args: readonly string[]) {
  mkdirSync(home, { recursive: true })
  const child = spawn(NODE, [join(ROOT, "cli/bin.js"), ...args], {
    env: { PATH: process.env["PATH"], HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: TIMEOUT_MS,
  })
  let said = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8")
    stream.on("data", (text: string) => {
      said += text
    })
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
  return {
    ended,
    text: () => said,
    /** Waits until the command has said something of this form. */
    async says(form: RegExp): Promise<RegExpExecArray> {
      for (;;) {
        const found = form.exec(said)
        if (found) return found
        const over = await Promise.race([ended.then(() => true), new Promise((resolve) => setTimeout(resolve, 20))])
        if (over === true) throw new Error(`the command ended without saying it: ${said}`)
      }
    },
  }
}
