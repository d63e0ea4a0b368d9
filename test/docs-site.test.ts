import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { groupsOf, linkOf, pageOf } from "../docs/site/pages.ts"

const at = { version: "v1.2.3", isFolder: (path: string) => path === "examples/terraform" }
const GITHUB = "https://github.com/daypass/daypass"

describe("a link of a page is in the site", () => {
  it.each([
    ["docs/action.md", "codes.md#internal", "codes.md#internal"],
    ["docs/action.md", "#files", "#files"],
    ["docs/index.md", "ci/README.md", "ci/index.md"],
    ["docs/ci/index.md", "../../broker/providers/aws/README.md#grant", "../../broker/providers/aws/index.md#grant"],
    ["index.md", "LICENSE", `${GITHUB}/blob/v1.2.3/LICENSE`],
    ["docs/trust.md", "../examples/terraform", `${GITHUB}/tree/v1.2.3/examples/terraform`],
    ["docs/index.md", "site/README.md", `${GITHUB}/blob/v1.2.3/docs/site/README.md`],
    ["docs/policy.md", "https://example.com/a.md", "https://example.com/a.md"],
    ["docs/policy.md", "mailto:a@example.com", "mailto:a@example.com"],
  ])("of %s to %s: %s", (from, link, shown) => {
    expect(linkOf(link, from, at)).toBe(shown)
  })
})

it("a README is the index of its folder, and nothing else is", () => {
  expect(["README.md", "docs/ci/README.md", "docs/NOT-README.md"].map(pageOf)).toEqual([
    ...["index.md", "docs/ci/index.md", "docs/NOT-README.md"],
  ])
})

it("the sidebar has every page of the index by reader, in its groups", () => {
  const index = readFileSync(fileURLToPath(new URL("../docs/README.md", import.meta.url)), "utf8")
  const groups = groupsOf(index)
  expect(groups.length).toBe(index.match(/^## /gm)?.length)
  const links = groups.flatMap(({ items }) => items.map(({ link }) => link))
  // The page about the site itself is none of the site's.
  expect(links.length).toBe((index.match(/^\| \[/gm)?.length ?? 0) - 1)
  expect(links).toEqual(expect.arrayContaining(["/docs/action", "/docs/ci/", "/docs/warnings/", "/broker/"]))
})
