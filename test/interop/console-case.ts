import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { readAuditTrail } from "../../broker/adapters/node/audit-reader.ts"
import { trailFromExport } from "../flow/trail.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { type ConsoleWorld, startConsoleWorld } from "../support/console-world.ts"
import { TOOLS } from "../support/vendor-world.ts"
import { findings, openBrowser, picture } from "./axe.ts"
import type { Check } from "./run.ts"

const TIMEOUT_MS = 30_000
/** The broker begins so many hours ago, so that its console has a past to show. */
const HOURS = 40

/**
 * The console in a real Chromium: every page in both colour schemes without a finding of axe, without scripts as well, and the chain of
 * a unit verified in the tab. With `DAYPASS_IMAGES` it also takes the pictures of the docs.
 */
export async function consoleCase(_: string, check: Check): Promise<void> {
  const world = await startConsoleWorld(async (options) => {
    const broker = await startNodeBroker({ ...options, movableClock: true, aheadSeconds: -HOURS * 3600 })
    return {
      ...{ url: broker.url, output: () => broker.stdout() + broker.stderr(), stored: () => "" },
      ...{ advance: broker.advance, stop: () => broker.stop() },
      trail: async (issuer, unitId) => trailFromExport(readAuditTrail(broker.data), issuer, unitId),
    }
  })
  const browser = await openBrowser()
  try {
    await past(world)
    const paths = await pathsOf(world)
    for (const colorScheme of ["light", "dark"] as const) {
      await check(
        `every page of the console in ${colorScheme} is without a finding of axe, and no page breaks its policy`,
        () => eachPage(world, browser, colorScheme, paths),
      )
    }
    await check(
      "the console works without scripts: a stop is ordered and lifted, a lease revoked, a person signed out",
      () => withoutScripts(world, browser, paths),
    )
    // The next checkpoint is due.
    await world.broker.advance(600)
    await check("a browser verifies the record of a unit in its tab", () => verifies(world, browser, paths))
  } finally {
    await browser.close()
    await world.close()
  }
}

/** Hours with jobs that are granted something and jobs that are not, as a working day has them. */
async function past({ broker, github, ask }: ConsoleWorld): Promise<void> {
  for (let hour = HOURS; hour > 0; hour--) {
    const at = new Date(Date.now() - hour * 3_600_000)
    const busy = [0, 0, 0, 0, 0, 1, 3, 5, 8, 9, 7, 5, 6, 9, 8, 6, 4, 2, 2, 1, 1, 0, 0, 0][at.getUTCHours()] ?? 0
    const shop = { repository: "acme/shop", repository_id: "41", repository_owner_id: "9001", actor: "mona" }
    await Promise.all(
      Array.from({ length: busy }, async (_unused, run) => {
        const ref = run % 5 === 3 ? "refs/heads/feature" : "refs/heads/main"
        const issuedAt = Math.floor(at.getTime() / 1000)
        const token = await github.mint({ ...shop, ref, run_id: `${hour}${run}` }, { audience: broker.url, issuedAt })
        await ask("ci-token", { token })
      }),
    )
    await broker.advance(3600)
  }
  // The sweep looks every few seconds of the real time: until then, the leases of the past are late.
  for (let open = 1; open > 0; await sleep(500)) {
    const events = (await broker.trail(github.issuer, "41")).map(({ record }) => record.event)
    const count = (wanted: string) => events.filter((event) => event === wanted).length
    open = count("exchange.minted") - count("lease.closed")
  }
  while (!/"status":"ok"/.test(await (await fetch(`${broker.url}/healthz`)).text())) await sleep(500)
  assert.equal((await ask()).status, 200)
  assert.equal((await ask(undefined, { claims: { ref: "refs/heads/feature" } })).status, 403)
}

async function pathsOf(world: ConsoleWorld): Promise<Readonly<Record<string, string>>> {
  const unit = new URLSearchParams({ issuer: world.github.issuer, id: TOOLS.repository_id })
  const answer = await world.ask()
  return {
    now: "/console",
    search: "/console/search?event=exchange.denied",
    units: "/console/units",
    unit: `/console/unit?${new URLSearchParams({ issuer: world.github.issuer, id: "41" })}`,
    stopped: `/console/unit?${unit}`,
    connection: "/console/connection?name=aws-prod",
    lease: `/console/lease?lease=${answer.json["lease"]}`,
    stops: "/console/stops",
    verify: `/console/verify?${unit}`,
  }
}

async function eachPage(
  world: ConsoleWorld,
  browser: Browser,
  colorScheme: "light" | "dark",
  paths: Readonly<Record<string, string>>,
): Promise<void> {
  await inBrowser(browser, { colorScheme }, async (page) => {
    const broken: string[] = []
    page.on("console", (message) => {
      const isOurs = message.location().url.startsWith(world.broker.url)
      if (message.type() === "error" && isOurs) broken.push(message.text())
    })
    await page.goto(world.broker.url)
    await findings(page, "front page", { colours: colorScheme === "dark" })
    await page.getByRole("link", { name: "Console" }).click()
    await findings(page, "sign-in", { colours: colorScheme === "dark" })
    await picture(page, "console-sign-in", colorScheme)
    // The answer to who is not signed in is 401, which Chromium tells as an error.
    broken.length = 0
    await signIn(page)
    await order(page, world, "the vendor has an incident")
    for (const [name, path] of Object.entries(paths)) {
      await page.goto(world.broker.url + path)
      // No part of the page is missing.
      assert.deepEqual(await page.locator(".note.warn").allTextContents(), [], name)
      for (const summary of await page.locator("main summary").all()) await summary.click()
      await findings(page, name, { colours: colorScheme === "dark" })
      for (const summary of await page.locator("main summary").all()) await summary.click()
      if (name === "search") await page.locator(".records summary").first().click()
      await picture(page, `console-${name}`, colorScheme)
    }
    assert.deepEqual(broken, [])
    await lift(page, world)
  })
}

async function order(page: Page, world: ConsoleWorld, reason: string): Promise<void> {
  await page.goto(`${world.broker.url}/console/stops`)
  await page.getByLabel("What").selectOption("connection")
  await page.getByLabel("Its name").fill(world.connection)
  await page.getByLabel("For how long").fill("2h")
  await page.getByLabel("Why. Every job").fill(reason)
  await page.getByRole("button", { name: "Stop it" }).click()
  await page.getByText("The stop is ordered.").waitFor()
}

async function lift(page: Page, world: ConsoleWorld): Promise<void> {
  await page.goto(`${world.broker.url}/console/stops`)
  await page.getByLabel("Why it is over").fill("mended")
  await page.getByRole("button", { name: "Lift this stop" }).click()
  await page.getByText("The stop is lifted.").waitFor()
  await page.getByText("Nothing is stopped.").waitFor()
}

async function withoutScripts(
  world: ConsoleWorld,
  browser: Browser,
  paths: Readonly<Record<string, string>>,
): Promise<void> {
  await inBrowser(browser, { javaScriptEnabled: false }, async (page) => {
    await page.goto(`${world.broker.url}/console`)
    await signIn(page)
    await order(page, world, "tried without scripts")
    assert.equal((await world.ask()).json["code"], "stopped")
    await lift(page, world)
    await page.goto(world.broker.url + (paths["lease"] ?? ""))
    await page.getByLabel("Why. The record keeps it").fill("the laptop was lost")
    await page.getByRole("button", { name: "Revoke 1 credential now" }).click()
    await page.getByText("Its credentials are being revoked.").waitFor()
    while ((await page.getByText("Nothing: it has ended").count()) === 0) {
      await sleep(200)
      await page.goto(world.broker.url + (paths["lease"] ?? ""))
    }
    await page.goto(world.broker.url + (paths["verify"] ?? ""))
    await page.getByText("This page alone needs JavaScript.").waitFor()
    await page.getByRole("button", { name: "Sign out" }).click()
    await page.getByRole("link", { name: "Sign in with staff" }).waitFor()
  })
}

async function verifies(world: ConsoleWorld, browser: Browser, paths: Readonly<Record<string, string>>): Promise<void> {
  await inBrowser(browser, {}, async (page) => {
    await page.goto(`${world.broker.url}/console`)
    await signIn(page)
    await page.goto(world.broker.url + (paths["verify"] ?? ""))
    const proof = await page.locator("#start").getAttribute("data-proof")
    while ((await (await page.request.get(world.broker.url + proof)).text()) === "") await sleep(200)
    await page.getByRole("button", { name: "Verify", exact: true }).click()
    await page
      .getByText(/^It verifies\. \d+ records verify\. The head is [0-9a-f]{64}\. The first \d+ of them are /)
      .waitFor()
    await picture(page, "console-verified", "light")
    // What the broker sends is changed on its way: one record says something else.
    await page.route("**/console/verify/export?**", async (route) => {
      const answer = await route.fetch()
      await route.fulfill({ response: answer, body: (await answer.text()).replace('"run_id":"', '"run_id":"9') })
    })
    await page.getByRole("button", { name: "Verify", exact: true }).click()
    await page
      .getByText(/^Record 1 does not verify: the record does not match its own hash: it was changed\.$/)
      .waitFor()
  })
}

async function signIn(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Sign in with staff" }).click()
  await page.locator("input[name=login]").fill("ann")
  await page.locator("input[name=password]").fill("any")
  await page.getByRole("button", { name: "Sign-in" }).click()
  await page.getByRole("button", { name: "Continue" }).click()
  await page.getByRole("heading", { name: "Now", exact: true }).waitFor()
}

async function inBrowser(
  browser: Browser,
  options: Parameters<Browser["newContext"]>[0],
  act: (page: Page) => Promise<void>,
): Promise<void> {
  const context: BrowserContext = await browser.newContext({ viewport: { width: 1180, height: 860 }, ...options })
  context.setDefaultTimeout(TIMEOUT_MS)
  try {
    await act(await context.newPage())
  } finally {
    await context.close()
  }
}
