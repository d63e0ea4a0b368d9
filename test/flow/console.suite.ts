import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ConsoleWorld, startConsoleWorld } from "../support/console-world.ts"
import { Person } from "../support/openid/person.ts"
import { TOOLS } from "../support/vendor-world.ts"
import { soon } from "./incident-world.ts"
import { type StartBroker, send } from "./world.ts"

/** People look at the broker, and act, in a browser that runs no script. */
export function consoleSuite(runtime: string, startBroker: StartBroker): void {
  describe(`the console on ${runtime}`, () => {
    let world: ConsoleWorld
    beforeAll(async () => {
      world = await startConsoleWorld(startBroker)
    })
    afterAll(() => world.close())

    /** Sends a form as a browser does from a page of the console, or as told. */
    const post = (
      person: Person,
      path: string,
      fields: Readonly<Record<string, string>>,
      headers: Readonly<Record<string, string>> = { origin: world.broker.url, "sec-fetch-site": "same-origin" },
    ) => person.open(world.broker.url + path, fields, headers)
    const formOf = ({ text }: { readonly text: string }) => / name="form" value="([^"]+)"/.exec(text)?.[1] ?? ""

    it("lets a person in by the company's provider, for a grant that is decided and recorded like any other", async () => {
      const { page } = await world.signIn("ann")
      expect([page.status, page.url.pathname]).toEqual([200, "/console"])
      expect(page.text).toContain("ann@example.com, until ")
      expect(page.headers.get("content-security-policy")).toBe(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      )
      expect(page.headers.get("cache-control")).toBe("no-store")
      const records = await world.broker.trail(world.provider.url, "ann")
      expect(records.map(({ record }) => [record.event, record.token_binding, record.grants[0]?.name])).toContainEqual([
        "exchange.minted",
        "dpop",
        "operator",
      ])
    })

    it("lets nobody in without a grant of rights over the broker, and mints nothing that is not one", async () => {
      const stranger = await world.signIn("mallory")
      expect([stranger.page.status, stranger.page.text]).toEqual([
        403,
        expect.stringContaining("No policy allows this"),
      ])
      const other = await world.signIn("eve", "/console", "dev-token")
      expect([other.page.status, other.page.text]).toEqual([403, expect.stringContaining("this is another one")])
      const scraper = await world.signIn("eve", "/console", "scraper")
      expect(scraper.page.status).toBe(403)
      for (const { person } of [stranger, other, scraper]) {
        expect((await person.open(`${world.broker.url}/console/stops`)).status).toBe(401)
      }
      const granted = (await world.broker.trail(world.provider.url, "eve")).map(({ record }) => record.grants[0]?.name)
      expect(granted).not.toContain("dev-token")
    })

    it("refuses an answer that it did not ask for, a cookie of another place, and a page of another site to return to", async () => {
      const { url } = world.broker
      const nobody = new Person()
      expect((await nobody.open(`${url}/console/callback?code=a&state=b`)).status).toBe(400)
      expect((await nobody.open(`${url}/console/`)).url.pathname).toBe("/console")
      const { person } = await world.signIn("ann", "https://evil.example.com/console")
      expect((await person.open(`${url}/console`)).status).toBe(200)
      for (const to of ["//evil.example.com", "/console/../../x\\y", "/v1/exchange", "/console\\evil"]) {
        expect((await world.signIn("ann", to)).page.url.href).toBe(`${url}/console`)
      }
      const begun = await send(world.broker, "/console/sign-in?issuer=staff")
      const [kept = ""] = begun.headers.getSetCookie()
      expect(kept).toMatch(/^daypass-sign-in=[^;]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/)
      const forged = `daypass-session=${/=([^;]+)/.exec(kept)?.[1]}`
      expect((await send(world.broker, "/console", { headers: { cookie: forged } })).status).toBe(401)
    })

    it("does what a form says only when it comes from a page of this session", async () => {
      const { person } = await world.signIn("ann")
      const form = formOf(await person.open(`${world.broker.url}/console/stops`))
      const order = { on: "connection", name: world.connection, reason: "incident 9" }
      const stopped = () => post(person, "/console/stops/order", { ...order, form })
      const { url: origin } = world.broker
      const other = await world.signIn("ann")
      const forms: readonly (readonly [Readonly<Record<string, string>>, Readonly<Record<string, string>>])[] = [
        [{ ...order }, { origin }],
        [{ ...order, form: formOf(other.page) }, { origin }],
        [{ ...order, form }, {}],
        [{ ...order, form }, { origin: "null" }],
        [{ ...order, form }, { origin: "https://evil.example.com" }],
        [
          { ...order, form },
          { origin, "sec-fetch-site": "same-site" },
        ],
      ]
      for (const [fields, headers] of forms) {
        const refused = await post(person, "/console/stops/order", fields, headers)
        expect([refused.status, refused.text]).toEqual([403, expect.stringContaining("Nothing was done")])
      }
      expect((await world.ask()).status).toBe(200)
      expect((await stopped()).text).toContain("The stop is ordered.")
      expect((await world.ask()).json["code"]).toBe("stopped")
      const page = await person.open(`${world.broker.url}/console/stops`)
      const stop = / name="stop" value="([^"]+)"/.exec(page.text)?.[1] ?? ""
      expect((await post(person, "/console/stops/lift", { form, stop, reason: "over" })).text).toContain(
        "Nothing is stopped.",
      )
      expect((await world.ask()).status).toBe(200)
      const events = (await world.broker.trail(world.provider.url, "ann")).map(({ record }) => record.event)
      expect(events.filter((event) => event.startsWith("stop."))).toEqual(["stop.ordered", "stop.lifted"])
    })

    it("ends a lease, with the operator's record before it", async () => {
      const { person } = await world.signIn("ann")
      const lease = String((await world.ask()).json["lease"])
      // The index follows the ledger, a moment behind.
      let page = await person.open(`${world.broker.url}/console/lease?lease=${lease}`)
      await soon(async () => {
        page = await person.open(`${world.broker.url}/console/lease?lease=${lease}`)
        expect(page.text).toContain("Revoke 1 credential now")
      })
      const ended = await post(person, "/console/lease/revoke", { lease, form: formOf(page), reason: "lost laptop" })
      expect(ended.text).toContain("Its credentials are being revoked.")
      const acts = (await world.broker.trail(world.provider.url, "ann")).map(({ record }) => record.reason)
      expect(acts.at(-1)).toBe(`revoke lease ${lease}: lost laptop`)
      await soon(async () => {
        const records = await world.broker.trail(world.github.issuer, TOOLS.repository_id)
        const ofLease = records.filter(({ record }) => record.lease === lease).map(({ record }) => record.event)
        expect(ofLease.at(-1)).toBe("lease.closed")
      })
    })

    it("shows a person what the scope and the rights of the grant cover, and nothing else", async () => {
      const shop = { repository: "acme/shop", repository_id: "41" }
      const lease = String((await world.ask("ci-token", { claims: shop })).json["lease"])
      const { person, page } = await world.signIn("bob")
      expect(page.text).toContain("What the scope of your grant covers.")
      expect(page.text).not.toContain("Signing key")
      const get = async (path: string) => await person.open(world.broker.url + path)
      const unit = (id: string) => `issuer=${encodeURIComponent(world.github.issuer)}&id=${id}`
      expect((await get(`/console/unit?${unit(TOOLS.repository_id)}`)).status).toBe(200)
      for (const path of [
        `/console/unit?${unit("41")}`,
        `/console/verify/export?${unit("41")}`,
        `/console/lease?lease=${lease}`,
      ]) {
        expect((await get(path)).status, path).toBe(403)
      }
      const stops = await get("/console/stops")
      expect(stops.text).not.toContain("Stop it")
      const form = formOf(stops)
      const refused = await post(person, "/console/stops/order", { on: "all", reason: "mine", form })
      expect([refused.status, (await world.ask()).status]).toEqual([403, 200])
      expect((await post(person, "/console/sign-out", { form })).status).toBe(401)
      expect((await get("/console")).status).toBe(401)
    })

    it("shows what a unit can get, who reaches a connection, and why a job was denied", async () => {
      const { person } = await world.signIn("ann")
      const get = async (path: string) => (await person.open(world.broker.url + path)).text
      expect((await world.ask(undefined, { claims: { ref: "refs/heads/feature" } })).status).toBe(403)
      await soon(async () => {
        const unit = await get(
          `/console/unit?issuer=${encodeURIComponent(world.github.issuer)}&id=${TOOLS.repository_id}`,
        )
        expect(unit).toContain(`What ${TOOLS.repository} can get`)
        expect(unit).toContain(`<title>${world.grant}</title>`)
        const connection = await get(`/console/connection?name=${world.connection}`)
        expect(connection).toContain(`<title>${TOOLS.repository} (production)</title>`)
        const denials = await get("/console/search?event=exchange.denied&unit=acme/tools")
        expect(denials).toContain(
          "<code>ref</code> is <code>refs/heads/feature</code>, must be <code>refs/heads/main</code>",
        )
      })
    })

    it("shows what anybody chose as text: nothing of it becomes a tag, an attribute or a place to go to", async () => {
      const { person } = await world.signIn("ann")
      const hostile = `<script>alert(1)</script>"'><img src=x onerror=y>\u202e javascript:alert(1)`
      const query = new URLSearchParams({ unit: hostile, actor: hostile, name: hostile, lease: hostile })
      for (const page of ["search", "units", "lease", "unit", "connection", "nowhere"]) {
        const { text } = await person.open(`${world.broker.url}/console/${page}?${query}`)
        expect(text, page).not.toMatch(/<(?:script|img)|\u202e|(?:href|action|src)="(?!\/|#main")/)
      }
      const form = formOf(await person.open(`${world.broker.url}/console/stops`))
      const said = await post(person, "/console/stops/order", { on: "grant", name: "nothing", reason: hostile, form })
      expect(said.text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;&quot;")
      expect(said.text).not.toMatch(/<(?:script|img)|\u202e/)
    })
  })
}
