import assert from "node:assert/strict"
import { mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Browser, chromium, type Page } from "playwright-core"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: "/usr/bin/chromium", chromiumSandbox: process.getuid?.() !== 0 })

const COLOUR_RULES = ["color-contrast", "link-in-text-block"]

/**
 * Asserts that axe finds nothing, by the rules of WCAG 2.2 up to AA, and its own of good practice.
 * @param within a selector: only what is inside of it is looked at
 * @param colours only what depends on colours: the same page was looked at in other colours
 */
export async function findings(page: Page, name: string, { within = "html", colours = false } = {}): Promise<void> {
  const axe = readFileSync(join(ROOT, "node_modules/axe-core/axe.min.js"), "utf8")
  // By the debugger and not as a script of the page, which its policy may forbid.
  await page.evaluate(axe)
  const options = { resultTypes: ["violations"], ...(colours && { runOnly: { type: "rule", values: COLOUR_RULES } }) }
  const found = await page.evaluate(`axe.run(${JSON.stringify(within)}, ${JSON.stringify(options)})`)
  const { violations } = found as { readonly violations: readonly { id: string; nodes: readonly { html: string }[] }[] }
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`),
    [],
  )
}

/** With `DAYPASS_IMAGES`, keeps a picture of the page in that folder. */
export async function picture(page: Page, name: string, colorScheme: string): Promise<void> {
  const folder = process.env["DAYPASS_IMAGES"]
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  await page.evaluate("(document.querySelector('[data-diagram]') ?? document.body).scrollIntoView({ block: 'center' })")
  await page.screenshot({ path: join(folder, `${name}${colorScheme === "dark" ? "-dark" : ""}.png`) })
}
