import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { type OnePassword, startOnePassword } from "./one-password.ts"

const VAULT = "shopvault00000000000000000"
const OTHER = "othervault0000000000000000"
const ITEM = "databaseitem00000000000000"
const TOKEN = "connect-token"

let connect: OnePassword

beforeEach(async () => {
  connect = await startOnePassword()
  const fields = [{ id: "password", type: "CONCEALED", label: "password", value: "s3cret" }]
  connect.addVault({
    id: VAULT,
    name: "Shop",
    items: [
      { id: ITEM, title: "Database", fields },
      { id: "archived000000000000000000", title: "database", state: "ARCHIVED" },
    ],
  })
  connect.addVault({ id: OTHER, name: "Other", items: [] })
  connect.allow(TOKEN, [VAULT])
})
afterEach(() => connect.close())

async function get(path: string, token: string | null = TOKEN) {
  const response = await fetch(`${connect.url}${path}`, {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  })
  const text = await response.text()
  return { status: response.status, body: text === "" ? null : JSON.parse(text) }
}
const filter = (text: string) => `filter=${encodeURIComponent(text)}`

describe("a request is refused", () => {
  test.each([
    ["without a token", "/v1/vaults?filter=x", null, 401],
    ["with a token that was never made", "/v1/vaults?filter=x", "another", 401],
    ["with a filter of another form", `/v1/vaults?${filter("name sw Shop")}`, TOKEN, 400],
    ["with a filter by something else", `/v1/vaults?${filter('id eq "x"')}`, TOKEN, 400],
    ["with a quote inside of a filter", `/v1/vaults?${filter('name eq "a" or name eq "b"')}`, TOKEN, 400],
    ["for a vault by its name", `/v1/vaults/Shop/items?${filter('title eq "Database"')}`, TOKEN, 400],
    ["for a vault out of the token's scope", `/v1/vaults/${OTHER}/items?${filter('title eq "x"')}`, TOKEN, 403],
    ["for an item by its title", `/v1/vaults/${VAULT}/items/Database`, TOKEN, 400],
    ["for an item that is not there", `/v1/vaults/${VAULT}/items/${OTHER}`, TOKEN, 404],
  ])("%s", async (_, path, token, status) => {
    expect(await get(path, token)).toEqual({ status, body: { status, message: expect.any(String) } })
  })

  test.each([
    "/v1/vaults?x=1",
    `/v1/vaults/${VAULT}?x=1`,
    `/v1/vaults/${VAULT}/items?filter=x&filter=y`,
    `/v1/vaults/${VAULT}/items/${ITEM}//`,
    `/v1/vaults/${VAULT}/items/${ITEM}?x=1`,
    `/v1/vaults/${VAULT}/items/${ITEM}/files`,
    "/v2/vaults",
    "/heartbeat",
  ])("and failed when it is %s, which nobody needs to ask", async (path) => {
    expect((await get(path)).status).toBe(404)
    expect(() => connect.assertClean()).toThrow(path.split("?")[0])
    await expect(connect.close()).rejects.toThrow()
    connect = await startOnePassword()
  })
})

test("vaults are found by their names whatever their case, of those in scope alone", async () => {
  const vault = { id: VAULT, name: "Shop", items: 2, type: "USER_CREATED" }
  expect(await get(`/v1/vaults?${filter('name eq "shop"')}`)).toEqual({ status: 200, body: [vault] })
  expect(await get(`/v1/vaults?${filter('name eq "Other"')}`)).toEqual({ status: 200, body: [] })
})

test("lists, single vaults, a slash at the end and vaults by title are what 1Password's SDKs ask for", async () => {
  const vault = { id: VAULT, name: "Shop", items: 2, type: "USER_CREATED" }
  const found = { status: 200, body: [vault] }
  for (const path of ["", "/", `?${filter('title eq "shop"')}`, `/?${filter('name eq "shop"')}`])
    expect(await get(`/v1/vaults${path}`), path).toEqual(found)
  for (const path of ["", "/"]) expect(await get(`/v1/vaults/${VAULT}${path}`)).toEqual({ status: 200, body: vault })
  const items = await get(`/v1/vaults/${VAULT}/items`)
  expect(items.body.map(({ title }: { title: string }) => title)).toEqual(["Database", "database"])
  expect(await get(`/v1/vaults/${VAULT}/items/`)).toEqual(items)
  expect(await get(`/v1/vaults/${VAULT}/items/${ITEM}/`)).toEqual(await get(`/v1/vaults/${VAULT}/items/${ITEM}`))
  expect((await get(`/v1/vaults/${OTHER}`)).status).toBe(403)
  expect((await get("/v1/vaults/Shop")).status).toBe(400)
  expect((await get(`/v1/vaults/${VAULT}/items?${filter('name eq "Database"')}`)).status).toBe(400)
})

test("items are found by their titles, without their fields", async () => {
  const { body } = await get(`/v1/vaults/${VAULT}/items?${filter('title eq "Database"')}`)
  expect(body).toEqual([
    { id: ITEM, title: "Database", vault: { id: VAULT }, category: "LOGIN", version: 1 },
    expect.objectContaining({ state: "ARCHIVED" }),
  ])
})

test("an item has its fields, and the log no value and no token", async () => {
  const { body } = await get(`/v1/vaults/${VAULT}/items/${ITEM}`)
  expect(body).toMatchObject({ id: ITEM, vault: { id: VAULT }, fields: [{ label: "password", value: "s3cret" }] })
  expect(connect.requests).toEqual([`GET /v1/vaults/${VAULT}/items/${ITEM} 200`])
})

test("it can fail as any server does, and be mended", async () => {
  connect.fail("unavailable", 1)
  expect((await fetch(`${connect.url}/v1/vaults`)).status).toBe(503)
  expect((await get(`/v1/vaults/${VAULT}/items/${ITEM}`)).status).toBe(200)
})
