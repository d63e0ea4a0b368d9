import { type Context, Hono } from "hono"
import { BrokerError } from "../core/errors.ts"
import { asFault, faultOf } from "../http/problem.ts"
import { PROBLEMS } from "../wire/error-codes.ts"
import { addActs } from "./acts.ts"
import type { ConsoleEnv } from "./console-env.ts"
import { cookieOf } from "./cookies.ts"
import { VERIFY_SCRIPT } from "./generated/verify-script.ts"
import { type Html, html } from "./html.ts"
import { barePage, ICON, page } from "./page.ts"
import { connectionPage } from "./pages/connection.ts"
import { leasePage } from "./pages/lease.ts"
import { nowPage } from "./pages/now.ts"
import { searchPage } from "./pages/search.ts"
import { stopsPage } from "./pages/stops.ts"
import { unitPage } from "./pages/unit.ts"
import { unitsPage } from "./pages/units.ts"
import { verifyPage } from "./pages/verify.ts"
import { mayRead, type PagePath } from "./rights.ts"
import { openSession, type Session } from "./session.ts"
import { addSignIn, signInPage } from "./sign-in-routes.ts"
import { STYLE } from "./style.ts"
import { addVerification } from "./verification.ts"
import { type ConsoleServices, note, type PageLoader } from "./view.ts"

/** The path of a page, the entry of the navigation that it belongs to, and what loads it. */
const LOADERS: readonly (readonly [path: string, at: PagePath, load: PageLoader])[] = [
  ["/console", "/console", nowPage],
  ["/console/search", "/console/search", searchPage],
  ["/console/units", "/console/units", unitsPage],
  ["/console/unit", "/console/units", unitPage],
  ["/console/connection", "/console/units", connectionPage],
  ["/console/lease", "/console/units", leasePage],
  ["/console/stops", "/console/stops", stopsPage],
  ["/console/verify", "/console/verify", verifyPage],
]

/**
 * What every page may do. No script but the console's own, and that on one page; no style in the pages; forms and links stay
 * here; no site may frame a page.
 */
const policyOf = (script: boolean): string =>
  [
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ...(script ? ["script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'"] : []),
  ].join("; ")

/** The console: pages for people who would rather look. Every one works without a script but the one that verifies. */
export function createConsole(services: ConsoleServices): Hono<ConsoleEnv> {
  const { broker } = services
  const app = new Hono<ConsoleEnv>()
  const { host } = new URL(broker.url)

  app.use(async (context, next) => {
    context.env.event.route = "console"
    await next()
    context.header("content-security-policy", policyOf(context.req.path === "/console/verify"))
    // A referrer of another site must not carry a unit's name. Same-origin requests need one for their Origin.
    context.header("referrer-policy", "same-origin")
    context.header("cross-origin-opener-policy", "same-origin")
    context.header("x-frame-options", "DENY")
  })

  for (const [path, type, text] of [
    ["/console/style.css", "text/css; charset=utf-8", STYLE],
    ["/console/verify.js", "text/javascript; charset=utf-8", VERIFY_SCRIPT],
    ["/console/icon.svg", "image/svg+xml", ICON],
  ] as const) {
    app.get(
      path,
      () => new Response(text, { headers: { "content-type": type, "cache-control": "public, max-age=300" } }),
    )
  }

  app.get("/console/", (context) => context.redirect("/console"))
  addSignIn(app, services)

  app.use(async (context, next) => {
    const session = await openSession(cookieOf(context.req.raw.headers, "session", broker.url), services)
    if (session === null) return await signInPage(context, services)
    const { unit_kind, unit, unit_id } = session.operator.identity
    Object.assign(context.env.event, { unit_kind, unit, unit_id, lease: session.operator.lease })
    context.set("session", session)
    return await next()
  })

  for (const [path, at, load] of LOADERS) {
    app.get(path, async (context) => {
      const session = context.get("session")
      if (!mayRead(session, at)) throw noSuchPage()
      const { searchParams: query } = new URL(context.req.url)
      const { title, body } = await load({ session, services, query })
      const script = path === "/console/verify" ? { script: "/console/verify.js" as const } : {}
      return context.html(page({ title, at, session, body, ...script }, host))
    })
  }
  addVerification(app, services)
  addActs(app, services)

  app.notFound(() => {
    throw noSuchPage()
  })
  app.onError((error, context) => failed(error, context, host))
  return app
}

/** One answer for what does not exist and for what a person has no right to see. */
const noSuchPage = () =>
  new BrokerError("route_not_found", "There is no such page, or your grant does not have the right to see it.")

function failed(error: unknown, context: Context<ConsoleEnv>, host: string): Response {
  const { event } = context.env
  Object.assign(event, faultOf(error))
  const { code, detail, status } = asFault(error)
  const body: Html = html`${note("bad", detail)}
<p class="soft">Code <code>${code}</code>, request <code>${event.request_id}</code>.</p>
<p><a href="/console">Back to the first page</a></p>`
  const title = PROBLEMS[code].title
  const session: Session | undefined = context.get("session")
  const text =
    session === undefined
      ? barePage(title, body)
      : page({ title, at: "/console", session, body: html`<h1>${title}</h1>${body}` }, host)
  return new Response(text.toString(), { status, headers: { "content-type": "text/html; charset=utf-8" } })
}
