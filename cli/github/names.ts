import { visible } from "../../broker/core/policy/faults.ts"

/** The longest branch name that fits into a pattern after `refs/heads/`. */
const MAX_BRANCH_CHARACTERS = 240

/** Owner and name in ASCII. Both become parts of a path, so nothing in them may lead out of a folder. */
const REPOSITORY = /^([A-Za-z0-9][A-Za-z0-9_-]{0,99})\/([A-Za-z0-9._-]{1,100})$/

/** Splits `OWNER/REPO`; null for anything else. */
export function parseRepository(text: string): { readonly owner: string; readonly name: string } | null {
  const [, owner, name] = REPOSITORY.exec(text) ?? []
  if (owner === undefined || name === undefined || /^\.+$/.test(name) || /\.git$/i.test(name)) return null
  return { owner, name }
}

/** Whether a text is a valid branch name. Git forbids stars, spaces and control characters, so it is also a safe pattern. */
export function isBranch(text: string): boolean {
  return (
    text.length <= MAX_BRANCH_CHARACTERS &&
    /^[^\s~^:?*[\\/.][^\s~^:?*[\\]*$/u.test(text) &&
    visible(text) === text &&
    !/\.\.|\/\/|@\{|[/.]$/.test(text)
  )
}

/** The issuer that belongs to a GitHub API: of github.com, of an Enterprise Server, or of ghe.com. */
export function issuerOf(api: string): string {
  const { origin, hostname, pathname } = new URL(api)
  if (pathname === "/api/v3") return `${origin}/_services/token`
  const tenant = /^api\.([a-z0-9-]+\.ghe\.com)$/.exec(hostname)?.[1]
  return tenant === undefined ? "https://token.actions.githubusercontent.com" : `https://token.actions.${tenant}`
}
