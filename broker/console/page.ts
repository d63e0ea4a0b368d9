import { type Html, html, type Shown, when } from "./html.ts"
import { mayRead, PAGES, type PagePath } from "./rights.ts"
import type { Session } from "./session.ts"

export interface PageParts {
  readonly title: string
  /** The entry of the navigation that this page belongs to. */
  readonly at: PagePath
  readonly session: Session
  readonly body: Shown
  /** A script of the console itself. */
  readonly script?: "/console/verify.js"
}

/** One page for a person who is signed in. */
export function page({ title, at, session, body, script }: PageParts, host: string): Html {
  const { operator, form } = session
  const { unit, actor } = operator.identity
  return frame(
    `${title} · Daypass`,
    html`<header class="top"><div>
<a class="name" href="/console">Daypass <span class="soft">${host}</span></a>
<nav aria-label="Pages"><ul>${PAGES.filter(({ path }) => mayRead(session, path)).map(
      ({ path, name }) =>
        html`<li><a href="${path}"${path === at ? CURRENT : null}>${name}</a></li>
`,
    )}</ul></nav>
<div class="who"><span>${actor ?? unit}, until ${session.operator.expiresAt.toISOString().slice(11, 16)} UTC</span>
<form method="post" action="/console/sign-out"><input type="hidden" name="form" value="${form}"><button class="quiet">Sign out</button></form></div>
</div></header>
<main id="main">${body}</main>
<footer><p>All times are UTC. Signed in with the grant <code>${operator.grant}</code>; what you do here is recorded.</p></footer>`,
    script,
  )
}

const CURRENT = html` aria-current="page"`

/** A page for somebody who is not signed in. */
export const barePage = (title: string, body: Shown): Html =>
  frame(`${title} · Daypass`, html`<main id="main" class="narrow"><h1>${title}</h1>${body}</main>`)

const frame = (title: string, body: Html, script?: string): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="/console/style.css">
<link rel="icon" href="/console/icon.svg">
${when(script !== undefined, () => html`<script type="module" src="${script ?? ""}"></script>`)}
</head>
<body>
<a class="skip" href="#main">To the content</a>
${body}
</body>
</html>
`

export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0b57a4"/><path d="M5 3.5h2.8a4.5 4.5 0 0 1 0 9H5z" fill="none" stroke="#fff" stroke-width="2"/></svg>`
