import { describe, expect, it } from "vitest"
import { createNodeHttp } from "../../broker/adapters/node/http.ts"
import { addressFault, guardedLookup } from "../../broker/adapters/node/public-addresses.ts"
import { readBody, startServer } from "../support/servers.ts"

describe("addresses", () => {
  it.each([
    ["8.8.8.8", "ok", "ok"],
    ["2606:4700::1111", "ok", "ok"],
    ["10.1.2.3", "refused", "ok"],
    ["172.31.255.255", "refused", "ok"],
    ["172.32.0.1", "ok", "ok"],
    ["192.168.0.1", "refused", "ok"],
    ["100.64.0.1", "refused", "ok"],
    ["fd12::1", "refused", "ok"],
    ["::ffff:10.1.2.3", "refused", "ok"],
    ["127.0.0.1", "refused", "refused"],
    ["0.0.0.0", "refused", "refused"],
    ["169.254.169.254", "refused", "refused"],
    ["fe80::1", "refused", "refused"],
    ["::1", "refused", "refused"],
    ["::", "refused", "refused"],
    ["::ffff:127.0.0.1", "refused", "refused"],
    ["::ffff:a9fe:a9fe", "refused", "refused"],
    ["64:ff9b::a9fe:a9fe", "refused", "refused"],
    ["2002:7f00:1::", "refused", "refused"],
    ["224.0.0.1", "refused", "refused"],
    ["255.255.255.255", "refused", "refused"],
    ["not an address", "refused", "refused"],
  ])("%s: %s among public ones, %s in a private network", (address, asPublic, asPrivate) => {
    const said = (reach: "public" | "private") => (addressFault(address, reach) === null ? "ok" : "refused")
    expect([said("public"), said("private")]).toEqual([asPublic, asPrivate])
  })

  it("are checked where a name is looked up, so that what was checked is dialled", async () => {
    const looked = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
      guardedLookup("private")("localhost", { all: true }, (error) => resolve(error))
    })
    expect(looked?.code).toBe("ADDRESS_REFUSED")
  })

  it("of a URL are refused before a connection, except this machine by its own name, which http is for", async () => {
    const server = await startServer(
      async (request, response) => {
        await readBody(request)
        response.end("ok")
      },
      () => {},
    )
    const port = new URL(server.url).port
    const ask = (url: string) =>
      createNodeHttp({ userAgent: "test", reach: "public" })({ method: "GET", url, timeoutMs: 2000, maxBytes: 100 })
    for (const host of ["169.254.169.254", "10.0.0.1", "[::ffff:169.254.169.254]", "2852039166"]) {
      await expect(ask(`https://${host}:${port}/`), host).rejects.toMatchObject({
        reason: "unreachable",
        cause: expect.objectContaining({ message: expect.stringMatching(/^ADDRESS_/) }),
      })
    }
    expect((await ask(`http://localhost:${port}/`)).status).toBe(200)
    await server.close()
  })
})
