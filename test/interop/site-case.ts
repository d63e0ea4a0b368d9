import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { extname, join, posix } from "node:path"
import { fileURLToPath } from "node:url"
import type { Page } from "playwright-core"
import { isPage } from "../../docs/site/pages.ts"
import { findings, openBrowser, picture } from "./axe.ts"
import { runCommand } from "./command.ts"
import type { Check } from "./run.ts"
import { mustRun } from "./tools.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const SITE = join(ROOT, "docs/site")
const BUILD_TIMEOUT_MS = 300_000
const TIMEOUT_MS = 30_000

/**
 * Installs what builds the site, as docs/site/package-lock.json pins it, once a version of it.
 * @throws when it cannot be had
 */
async function installSite(): Promise<void> {
  const lock = createHash("sha256")
    .update(readFileSync(join(SITE, "package-lock.json")))
    .digest("hex")
  const finished = join(SITE, "node_modules", `.installed-${lock.slice(0, 16)}`)
  if (existsSync(finished)) return
  await mustRun("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: SITE })
  writeFileSync(finished, "")
}

/** The site as readers see it, in a real Chromium: it builds without a dead link, is found and drawn, and axe finds nothing. */
export async function siteCase(_: string, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const out = mkdtempSync(join(tmpdir(), "daypass-site-"))
  ends.defer(() => rmSync(out, { recursive: true, force: true }))
  await installSite()

  const site = ends.adopt(await serve(out), ({ close }) => close())

  await check("the site builds, and no link in it is dead", async () => {
    const args = ["build.ts", "--main-only", "--source", ROOT, "--out", out, "--url", site.url]
    const built = await runCommand(process.execPath, args, { cwd: SITE, timeoutMs: BUILD_TIMEOUT_MS })
    // The generator goes on when a page cannot be rendered, and only says so.
    assert.doesNotMatch(built.output, /\w*Error: /)
    assert.equal(built.exitCode, 0, built.output)
    assert.deepEqual(brokenLinks(out), [])
  })
  if (!existsSync(join(out, "index.html"))) return
  const browser = ends.adopt(await openBrowser(), (it) => it.close())
  const diagrams = pagesWithDiagrams()

  for (const colorScheme of ["light", "dark"] as const) {
    const context = await browser.newContext({ viewport: { width: 1180, height: 860 }, colorScheme })
    context.setDefaultTimeout(TIMEOUT_MS)
    const page = await context.newPage()
    const broken: string[] = []
    page.on("pageerror", (error) => broken.push(error.message))
    for (const path of new Set(["index.html", "docs/index.html", "docs/codes.html", ...diagrams])) {
      await check(`${path} in ${colorScheme}: every diagram is drawn, and axe finds nothing`, async () => {
        await page.goto(`${site.url}main/${path}`)
        await drawn(page)
        // The generator's own header and sidebar are for its authors to mend: a button inside of a button, a label that is not its text.
        await findings(page, path, { within: ".VPContent", colours: colorScheme === "dark" })
        await picture(page, `site-${path.replaceAll(/[/.]/g, "-")}`, colorScheme)
        assert.deepEqual(broken, [])
      })
    }
    await context.close()
  }

  await check("the search finds a code, and leads to its section", async () => {
    const page = await browser.newPage()
    page.setDefaultTimeout(TIMEOUT_MS)
    await page.goto(site.url)
    await page.getByRole("button", { name: "Search" }).first().click()
    await page.locator(".VPLocalSearchBox input").fill("token_already_used")
    await page.locator(".VPLocalSearchBox .result", { hasText: "Codes" }).first().waitFor()
    await picture(page, "site-search", "light")
    await page.locator(".VPLocalSearchBox .result", { hasText: "Codes" }).first().click()
    await page.waitForURL(/\/main\/docs\/codes\.html#token_already_used$/)
    await page.close()
  })
}

/** Waits until every diagram of the page is drawn. Mermaid draws a bomb for one that it cannot read. */
async function drawn(page: Page): Promise<void> {
  const wanted = await page.locator("[data-diagram]").count()
  for (let index = 0; index < wanted; index++) await page.locator("[data-diagram] svg").nth(index).waitFor()
  assert.equal(await page.locator(".error-icon, .error-text").count(), 0)
  const cut = await page
    .locator("[data-diagram] foreignObject")
    .evaluateAll((texts) =>
      texts
        .filter((text) => (text.firstElementChild?.scrollHeight ?? 0) > text.clientHeight + 1 && text.clientHeight > 0)
        .map((text) => text.textContent),
    )
  assert.deepEqual(cut, [], "texts of diagrams are cut off")
}

/** The pages of this repository that have a diagram, where the site has them. */
function pagesWithDiagrams(): readonly string[] {
  const files = execFileSync("git", ["ls-files", "-z", "*.md"], { cwd: ROOT, encoding: "utf8" }).split("\0")
  const pages = files.filter((path) => isPage(path) && /^```mermaid$/m.test(readFileSync(join(ROOT, path), "utf8")))
  assert.ok(pages.length > 3)
  return pages.map((path) => path.replace(/README\.md$/, "index.md").replace(/\.md$/, ".html"))
}

/** Links between pages of the site whose page or heading is not there. */
function brokenLinks(out: string): readonly string[] {
  const pages = readdirSync(join(out, "main"), { recursive: true, encoding: "utf8" }).filter((path) =>
    /\.html$/.test(path),
  )
  const texts = new Map(pages.map((path) => [`/daypass/main/${path}`, readFileSync(join(out, "main", path), "utf8")]))
  const anchors = new Map(
    [...texts].map(([path, text]) => [path, new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))]),
  )
  assert.ok(pages.length > 100)
  return [...texts].flatMap(([path, text]) =>
    [...text.matchAll(/<a [^>]*href="([^"]+)"/g)]
      .map(([, link = ""]) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [file = "", anchor] = link.split("#")
        const whole = file === "" ? path : posix.join(posix.dirname(path), file)
        const target = (file.startsWith("/") ? file : whole).replace(/\/$/, "/index.html")
        if (anchor === undefined || anchor === "" || anchor === "VPContent") return !anchors.has(target)
        return !anchors.get(target)?.has(decodeURIComponent(anchor))
      })
      .map((link) => `${path}: ${link}`),
  )
}

const TYPES: Readonly<Record<string, string>> = {
  ...{ ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json" },
  ...{ ".svg": "image/svg+xml", ".png": "image/png", ".woff2": "font/woff2" },
}

/** Serves a folder as GitHub Pages does, below the project's name. */
async function serve(folder: string): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname
      .replace(/^\/daypass\//, "")
      .replace(/(^|\/)$/, "$1index.html")
    const file = join(folder, posix.normalize(`/${path}`))
    if (!existsSync(file)) return void response.writeHead(404).end()
    response
      .writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" })
      .end(readFileSync(file))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/daypass/`, close: () => void server.close() }
}
