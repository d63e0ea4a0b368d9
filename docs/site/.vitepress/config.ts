import { existsSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { defineConfig } from "vitepress"
import { anchorOf, groupsOf, linkOf, REPOSITORY } from "../pages.ts"

/** What build.ts wants built: the pages of one version, and the versions beside it. */
const { version, versions, url, tree, pages } = JSON.parse(process.env["DAYPASS_SITE"] ?? "{}") as {
  readonly version: string
  readonly versions: readonly string[]
  /** Where all versions are. */
  readonly url: string
  readonly tree: string
  readonly pages: string
}
/** The index by reader. Releases before it have none. */
const index = join(pages, "docs/index.md")
const isFolder = (path: string) => statSync(join(tree, path), { throwIfNoEntry: false })?.isDirectory() ?? false

export default defineConfig({
  title: "Daypass",
  description: "Short-lived credentials for CI jobs, decided by policy files",
  lang: "en",
  srcDir: pages,
  cacheDir: join(pages, "../cache"),
  cleanUrls: false,
  // A release cannot be changed: a dead link in it does not stop the pages of now.
  ignoreDeadLinks: version !== "main",
  markdown: {
    anchor: { slugify: anchorOf },
    // Braces in headings, such as /v1/leases/{id}, are text as on GitHub.
    attrs: { disable: true },
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    config(md) {
      md.core.ruler.push("repository-links", ({ tokens, env }) => {
        const from = (env as { readonly relativePath?: string }).relativePath ?? ""
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          const link = token.type === "link_open" ? token.attrGet("href") : null
          if (link !== null) token.attrSet("href", linkOf(decodeURI(link), from, { version, isFolder }))
        }
      })
      // Pages are Markdown only: two braces in them are text, and no expression of Vue.
      const [text, inline] = [md.renderer.rules.text, md.renderer.rules.code_inline]
      md.renderer.rules.text = (...given) => (text?.(...given) ?? "").replaceAll("{{", "&#123;&#123;")
      md.renderer.rules.code_inline = (tokens, index, ...rest) => {
        tokens[index]?.attrSet("v-pre", "")
        return inline?.(tokens, index, ...rest) ?? ""
      }
      const fence = md.renderer.rules.fence
      md.renderer.rules.fence = (tokens, index, options, env, self) => {
        const token = tokens[index]
        if (token?.info.trim() !== "mermaid") return fence?.(tokens, index, options, env, self) ?? ""
        return `<MermaidDiagram source="${encodeURIComponent(token.content)}" />`
      }
    },
  },
  themeConfig: {
    nav: [
      ...(existsSync(index) ? [{ text: "All pages", link: "/docs/" }] : []),
      {
        text: version,
        // Other versions are other sites to the generator: it would put this version's folder before a path.
        items: versions.map((each) => ({ text: each, link: `${url}${each}/`, target: "_self", noIcon: true })),
      },
    ],
    sidebar: groupsOf(existsSync(index) ? readFileSync(index, "utf8") : "").map((group) => ({
      text: group.text,
      collapsed: false,
      items: [...group.items],
    })),
    outline: [2, 3],
    search: { provider: "local" },
    socialLinks: [{ icon: "github", link: REPOSITORY }],
    editLink: { pattern: `${REPOSITORY}/tree/main/:path`, text: "Look at this page on GitHub" },
  },
})
