import type { Context, Hono } from "hono"
import { BrokerError } from "../core/errors.ts"
import { factsOf } from "../core/families/families.ts"
import type { IssuerConfig } from "../core/policy/model.ts"
import { GRANT_NAME } from "../http/request.ts"
import type { ConsoleEnv } from "./console-env.ts"
import { cookieOf, setCookie } from "./cookies.ts"
import { CALLBACK_PATH, enter } from "./enter.ts"
import { type Html, html, pathOf, when } from "./html.ts"
import { barePage } from "./page.ts"
import { sealSession } from "./session.ts"
import { beginSignIn, finishSignIn, type KnownProviders, SIGN_IN_SECONDS, waitingSignIn } from "./sign-in.ts"
import { type ConsoleServices, note } from "./view.ts"

const DEFAULT_GRANT = "operator"
const SIGN_IN_PATH = "/console/sign-in"

/** A page of the console, and nothing else: the text comes from a query. */
const OWN_PAGE = /^\/console(?:[/?][!-[\]-~]*)?$/

/** Adds the way to the provider and back. */
export function addSignIn(app: Hono<ConsoleEnv>, { broker, operators }: ConsoleServices): void {
  const known: KnownProviders = new Map()
  app.get(SIGN_IN_PATH, async (context) => {
    const { issuer: name = "", grant, to } = wishOf(context)
    const issuer = (await peopleOf(broker)).find((one) => one.name === name)
    if (issuer === undefined) return context.redirect("/console")
    const begun = await beginSignIn({ issuer: issuer.name, grant, to }, issuer, broker, known)
    if (!begun.ok) return context.html(again(begun.fault, pathOf("/console", { grant })), 502)
    context.header("set-cookie", setCookie("sign-in", begun.value.cookie, SIGN_IN_SECONDS, broker.url))
    return context.redirect(begun.value.address)
  })

  app.get(CALLBACK_PATH, async (context) => {
    const { url, headers } = context.req.raw
    const kept = await waitingSignIn(cookieOf(headers, "sign-in", broker.url), broker)
    context.header("set-cookie", setCookie("sign-in", "", 0, broker.url))
    const issuer = kept && (await peopleOf(broker)).find((one) => one.name === kept.issuer)
    // Also for an answer that nobody here asked for: else a page of another site could sign a person in as somebody else.
    if (!kept || !issuer)
      return context.html(again("This sign-in has ended, or it began in another browser.", "/console"), 400)
    const back = pathOf("/console", { grant: kept.grant })
    const token = await finishSignIn(new URL(url).searchParams, kept, issuer, broker, known)
    if (!token.ok) return context.html(again(token.fault, back), 502)
    const { client, event } = context.env
    const entered = await enter(token.value, kept.grant, { client, event }, { broker, operators })
    const form = crypto.randomUUID()
    const sealed = await sealSession({ token: entered.token, form }, broker.sealer)
    if (sealed === null) throw new BrokerError("not_allowed", TOO_LONG)
    const seconds = Math.floor((entered.operator.expiresAt.getTime() - broker.clock.now().getTime()) / 1000)
    context.header("set-cookie", setCookie("session", sealed, seconds, broker.url), { append: true })
    return context.redirect(kept.to)
  })
}

const TOO_LONG =
  "The scope of this grant has too many entries for a session in a browser. Use the daypass command line, or a grant with fewer."

/** The page on which a person chooses how to sign in. `401`, so that a program sees that it is not the page it asked for. */
export async function signInPage(
  context: Context<ConsoleEnv>,
  { broker }: Pick<ConsoleServices, "broker">,
): Promise<Response> {
  const { grant, to } = wishOf(context)
  const issuers = await peopleOf(broker)
  if (issuers.length === 0) return context.html(barePage("Nobody can sign in", NO_ISSUER), 403)
  const links = issuers.map(
    ({ name }) =>
      html`<p><a class="button" href="${pathOf(SIGN_IN_PATH, { issuer: name, grant, to })}">Sign in with ${name}</a></p>`,
  )
  const body = html`
<p class="lead">Your company's provider says who you are. The policies say what you may see here.</p>
${links}
<details><summary>Another grant</summary>
<form method="get" action="/console"><label for="grant">Grant of the provider <code>broker</code></label>
<input id="grant" name="grant" value="${grant}" pattern="[a-z][a-z0-9\\-]*" maxlength="64" required>
<div class="acts"><button class="plain">Use this grant</button></div></form></details>
<p class="soft">A session lasts 15 minutes at most. It is recorded like every other exchange.</p>`
  return context.html(barePage("Sign in to Daypass", body), 401)
}

const NO_ISSUER: Html = html`<p>This broker serves no people: its organisation file lists no issuer of the family
<code>openid</code>.</p><p>List your company's OpenID provider there, with <code>audience</code>, a connection of the provider
<code>broker</code> with <code>people: true</code>, and a policy that gives people a grant of it. docs/operate.md shows all three.</p>`

/** What a request says of the sign-in that it wants. */
function wishOf({ req }: Context<ConsoleEnv>): {
  readonly issuer?: string
  readonly grant: string
  readonly to: string
} {
  const { pathname, search } = new URL(req.url)
  const { issuer, grant = "", to = `${pathname}${search}` } = req.query()
  const isPage = req.method === "GET" && OWN_PAGE.test(to) && !to.startsWith(SIGN_IN_PATH) && to.length <= 500
  return {
    ...(issuer === undefined ? {} : { issuer }),
    grant: GRANT_NAME.test(grant) ? grant : DEFAULT_GRANT,
    to: isPage ? to : "/console",
  }
}

async function peopleOf({ policySource }: ConsoleServices["broker"]): Promise<readonly IssuerConfig[]> {
  const { organisation } = await policySource.snapshot()
  return [...organisation.issuers.values()].filter(
    ({ family, audience }) => factsOf(family).unit === "person" && audience !== undefined,
  )
}

const again = (fault: string, to: string): Html =>
  barePage(
    "You are not signed in",
    html`${note("bad", fault)}${when(to !== "", () => html`<p><a class="button" href="${to}">Begin again</a></p>`)}`,
  )
