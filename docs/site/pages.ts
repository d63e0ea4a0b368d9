import { posix } from "node:path"

/** Where files are read that are no page of the site. */
export const REPOSITORY = "https://github.com/daypass/daypass"

/** Files of the repository that become pages: what is in docs/, and the READMEs beside the code that pages lead to. */
export function isPage(path: string): boolean {
  if (path.startsWith("docs/site/") || path.startsWith("test/")) return false
  return path.endsWith(".md")
}

/** Where a file's page is: a README is the index of its folder, as it is on GitHub. */
export const pageOf = (path: string): string => path.replace(/(^|\/)README\.md$/, "$1index.md")

/**
 * A link of a page, as the site must have it. Links to pages stay relative; links to other files of the repository lead to GitHub, at the
 * version that the site describes. A link out of the repository stays as it is.
 * @param from the page's path in the site, such as `docs/ci/index.md`
 * @param isFolder whether a path of the repository is a folder
 */
export function linkOf(link: string, from: string, at: { version: string; isFolder(path: string): boolean }): string {
  if (/^(?:[a-z]+:|#|\/)/.test(link)) return link
  const [path = "", anchor] = link.split("#")
  const target = posix.normalize(posix.join(posix.dirname(from), path)).replace(/\/$/, "")
  if (isPage(target)) return pageOf(path) + (anchor === undefined ? "" : `#${anchor}`)
  const kind = at.isFolder(target) ? "tree" : "blob"
  return `${REPOSITORY}/${kind}/${at.version}/${target}${anchor === undefined ? "" : `#${anchor}`}`
}

/** The anchor of a heading's text, as GitHub makes it: links to headings work on both. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-")

export interface Group {
  readonly text: string
  readonly items: readonly { readonly text: string; readonly link: string }[]
}

/** The groups of the sidebar: the headings of docs/README.md, and the first link of each of their rows. */
export function groupsOf(index: string): readonly Group[] {
  return index
    .split(/^## /m)
    .slice(1)
    .map((section) => ({
      text: section.split("\n", 1)[0] ?? "",
      items: [...section.matchAll(/^\| \[([^\]]+)\]\(([^)#]+\.md)\) \|/gm)]
        .map(([, text = "", path = ""]) => ({ text, path: posix.normalize(posix.join("docs", path)) }))
        .filter(({ path }) => isPage(path))
        .map(({ text, path }) => ({ text, link: `/${pageOf(path).replace(/(?:index)?\.md$/, "")}` })),
    }))
    .filter(({ items }) => items.length > 0)
}
