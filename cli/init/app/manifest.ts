import { visible } from "../../../broker/core/policy/faults.ts"

/** What the App is for: `read` repositories' policies and environments; `mint` tokens for jobs. */
export type AppPurpose = "read" | "mint"

/** The web pages that belong to a GitHub API: of github.com, of an Enterprise Server, or of ghe.com. */
export function webOf(api: string): string {
  const { protocol, host } = new URL(api)
  return `${protocol}//${host.replace(/^api\.(github\.com|[a-z0-9-]+\.ghe\.com)$/, "$1")}`
}

/**
 * A GitHub App manifest: what GitHub registers when a person presses its button. No webhook, no login of users, private: the App
 * has its permissions and nothing else.
 * https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
 */
export function manifestOf(given: {
  readonly name: string
  readonly url: string
  readonly redirectUri: string
  readonly permissions: Permissions
}): object {
  const { name, url, redirectUri, permissions } = given
  return {
    name,
    url,
    redirect_url: redirectUri,
    description: "Made by daypass init, for the broker at this URL.",
    public: false,
    default_permissions: permissions,
    default_events: [],
  }
}

export type Permissions = Readonly<Record<string, string>>

/** Of an App that reads: policies are contents; environments and approvals are actions. */
export const READ_PERMISSIONS: Permissions = { contents: "read", actions: "read", metadata: "read" }

/** Where the form with the manifest goes. */
export function registrationUrl(web: string, organisation: string | null, state: string): string {
  const path =
    organisation === null
      ? "/settings/apps/new"
      : `/organizations/${encodeURIComponent(organisation)}/settings/apps/new`
  return `${web}${path}?state=${encodeURIComponent(state)}`
}

/** A page with one button. It needs no script, and shows what the App may do before GitHub does. */
export function startPage(action: string, manifest: object, permissions: Permissions): string {
  const list = Object.entries(permissions).map(([name, level]) => `<li>${escaped(name)}: ${escaped(level)}</li>`)
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Daypass: make the GitHub App</title></head>
<body>
<main>
<h1>Make the GitHub App</h1>
<p>GitHub asks you for its name. It may:</p>
<ul>${list.join("")}</ul>
<form method="post" action="${escaped(action)}">
<input type="hidden" name="manifest" value="${escaped(JSON.stringify(manifest))}">
<button>Go on at GitHub</button>
</form>
</main>
</body>
</html>
`
}

const escaped = (text: string) => visible(text).replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`)
