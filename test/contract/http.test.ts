import { execFile } from "node:child_process"
import { createServer, type RequestListener, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib"
import { afterEach, describe, expect, test } from "vitest"
import { createNodeHttp } from "../../broker/adapters/node/http.ts"
import { createHttp } from "../../broker/adapters/web/http.ts"
import { HttpError, type HttpRequest } from "../../broker/ports/http.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const USER_AGENT = "daypass-test/1"
const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

describe.each([
  ["fetch", createHttp({ userAgent: USER_AGENT })],
  ["node:http", createNodeHttp({ userAgent: USER_AGENT })],
] as const)("by %s:", (_, http) => {
  const failureOf = async (request: HttpRequest): Promise<HttpError> => {
    const outcome = await http(request).catch((error: unknown) => error)
    if (outcome instanceof HttpError) return outcome
    throw new Error("the request did not fail with an HttpError")
  }

  describe("an answer", () => {
    test("is read whole, with its status and its headers by name in any case", async () => {
      const url = await serve((_, response) => response.writeHead(404, { "X-Word": "yes" }).end("nothing here"))
      const answer = await http(get(url))
      expect(answer.status).toBe(404)
      expect(answer.header("x-WORD")).toBe("yes")
      expect(answer.header("x-other")).toBeNull()
      expect(new TextDecoder().decode(answer.body)).toBe("nothing here")
    })

    test("without a body is an empty body", async () => {
      const url = await serve((_, response) => response.writeHead(204).end())
      expect((await http(get(url))).body).toEqual(new Uint8Array())
    })

    test.each([
      ["gzip", gzipSync],
      ["GZip", gzipSync],
      ["deflate", deflateSync],
      ["br", brotliCompressSync],
    ] as const)("that is compressed although that was not asked for is unpacked: %s", async (encoding, compress) => {
      const url = await serve((_, response) =>
        response.writeHead(200, { "content-encoding": encoding }).end(compress("x".repeat(4096))),
      )
      expect(new TextDecoder().decode((await http(get(url))).body)).toBe("x".repeat(4096))
    })

    test.each(["gzip", "deflate", "br"])("without a body may name a compression: %s", async (encoding) => {
      const url = await serve((_, response) => response.writeHead(304, { "content-encoding": encoding }).end())
      const answer = await http({ ...get(url), headers: { "If-None-Match": '"x"' } })
      expect([answer.status, answer.body.length]).toEqual([304, 0])
    })

    test("of exactly the cap is read, in however many pieces it comes", async () => {
      const url = await serve((_, response) => {
        for (let piece = 0; piece < 64; piece += 1) response.write("x".repeat(16))
        response.end()
      })
      expect((await http({ ...get(url), maxBytes: 1024 })).body.length).toBe(1024)
    })
  })

  describe("a request", () => {
    test("carries its method, headers and body, text or bytes", async () => {
      const url = await serve(async (request, response) => {
        let body = ""
        for await (const chunk of request) body += chunk
        response.end(JSON.stringify([request.method, request.headers["x-word"], body]))
      })
      for (const body of ["päss", new TextEncoder().encode("päss")]) {
        const answer = await http({ ...get(url), method: "POST", headers: { "X-Word": "yes" }, body })
        expect(JSON.parse(new TextDecoder().decode(answer.body))).toEqual(["POST", "yes", "päss"])
      }
    })

    test("names us as its user agent, unless it brings its own", async () => {
      const url = await serve((request, response) => response.end(request.headers["user-agent"]))
      const said = async (headers?: Record<string, string>) =>
        new TextDecoder().decode((await http({ ...get(url), ...(headers && { headers }) })).body)
      expect(await said()).toBe(USER_AGENT)
      expect(await said({ "user-agent": "other/2" })).toBe("other/2")
    })

    test("brings the length of its body, whatever its method", async () => {
      const url = await serve((request, response) => response.end(request.headers["content-length"] ?? "none"))
      for (const method of ["POST", "PUT", "DELETE"] as const) {
        expect(new TextDecoder().decode((await http({ ...get(url), method, body: "päss" })).body)).toBe("5")
      }
    })

    test("takes a connection of those before", async () => {
      let connections = 0
      const url = await serve((_, response) => response.end("x".repeat(100)))
      servers.at(-1)?.on("connection", () => {
        connections += 1
      })
      for (let time = 0; time < 10; time += 1) await http(get(url))
      // fetch opens a second one while the first is not free again yet.
      expect(connections).toBeLessThanOrEqual(2)
    })

    test("is never sent twice, not even when a kept connection breaks as it arrives", async () => {
      const asked: (string | undefined)[] = []
      const url = await serve((request, response) => {
        asked.push(request.method)
        if (request.method === "POST") request.socket.resetAndDestroy()
        else response.end()
      })
      await http(get(url))
      expect(await failureOf({ ...get(url), method: "POST", body: "{}" })).toMatchObject({ reason: "unreachable" })
      expect(asked).toEqual(["GET", "POST"])
    })

    test("brings no cookie that an earlier answer set", async () => {
      const url = await serve((request, response) =>
        response.setHeader("set-cookie", "a=b; Path=/").end(request.headers.cookie ?? "none"),
      )
      await http(get(url))
      expect(new TextDecoder().decode((await http(get(url))).body)).toBe("none")
    })
  })

  describe("refused", () => {
    test.each([300, 301, 302, 303, 304, 307, 308])(
      "a redirect with status %i, and its target is never asked",
      async (status) => {
        let asked = 0
        const target = await serve((_, response) => {
          asked += 1
          response.end()
        })
        const url = await serve((_, response) => response.writeHead(status, { location: target }).end())
        await expect(http(get(url))).rejects.toMatchObject({ name: "HttpError", reason: "redirect" })
        expect(asked).toBe(0)
      },
    )

    test("a body over the cap that announces its length, before it is read", async () => {
      const url = await serve((_, response) => {
        response.writeHead(200, { "content-length": "1000000" })
        response.write("x") // and the rest never comes
      })
      await expect(http({ ...get(url), timeoutMs: 300_000 })).rejects.toMatchObject({ reason: "too-large" })
    })

    test("a body over the cap that announces nothing and never ends", async () => {
      const url = await serve((_, response) => {
        const write = () => {
          while (!response.destroyed && response.write("x".repeat(1024)));
        }
        response.on("drain", write)
        write()
      })
      await expect(http({ ...get(url), timeoutMs: 300_000 })).rejects.toMatchObject({ reason: "too-large" })
    })

    test("a small compressed body that is larger than the cap once it is unpacked", async () => {
      const bomb = gzipSync(Buffer.alloc(1_000_000))
      expect(bomb.length).toBeLessThan(4096)
      const url = await serve((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb))
      await expect(http(get(url))).rejects.toMatchObject({ reason: "too-large" })
    })

    test("an answer that does not begin in time", async () => {
      const url = await serve(() => undefined)
      await expect(http({ ...get(url), timeoutMs: 50 })).rejects.toMatchObject({ reason: "timeout" })
    })

    test("an answer that stalls in the middle of its body", async () => {
      const url = await serve((_, response) => void response.write("half of"))
      await expect(http({ ...get(url), timeoutMs: 200 })).rejects.toMatchObject({ reason: "timeout" })
    })

    test("a compressed body that is damaged", async () => {
      const url = await serve((_, response) =>
        response.writeHead(200, { "content-encoding": "gzip" }).end("this is not gzip"),
      )
      await expect(http(get(url))).rejects.toMatchObject({ reason: "unreachable" })
    })

    test("a connection that breaks in the middle of the body", async () => {
      const url = await serve((_, response) => {
        response.writeHead(200, { "content-length": "100" })
        response.write("half of", () => response.destroy())
      })
      await expect(http(get(url))).rejects.toMatchObject({ reason: "unreachable" })
    })

    test("a port where nobody listens, with the system's code as the cause", async () => {
      const url = await serve(() => undefined)
      await new Promise((closed) => servers.pop()?.close(closed))
      const error = await failureOf(get(url))
      expect(error.reason).toBe("unreachable")
      expect(error.cause).toMatchObject({ message: "ECONNREFUSED" })
    })

    test.each([
      "http://example.com/",
      "http://10.0.0.1/",
      "http://169.254.169.254/latest/meta-data/",
      "http://localhost.example/",
      "http://127.0.0.1.example/",
      "https://user:secret@example.com/",
      "file:///etc/passwd",
      "data:text/plain,hello",
      "//example.com/",
      "no URL at all",
    ])("the URL %s, without dialling it", async (url) => {
      const error = await failureOf(get(url))
      expect(error.reason).toBe("unreachable")
      expect(error.cause).toMatchObject({ message: "URL_NOT_ALLOWED" })
    })
  })

  describe("an error", () => {
    test("quotes neither a header that cannot be sent nor the URL's query", async () => {
      const url = await serve(() => undefined)
      const error = await failureOf({
        ...get(`${url}?token=canary`),
        headers: { authorization: "Bearer canary\ncanary" },
      })
      expect(error.reason).toBe("unreachable")
      expect(`${error.stack} ${error.message} ${String(error.cause)}`).not.toContain("canary")
    })
  })
})

test.each(["fetch", "node:http"])("by %s: a proxy is used when Node is started with one", async (name) => {
  const asked: string[] = []
  const server = createServer().on("connect", (request, socket) => {
    asked.push(String(request.url))
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n")
  })
  servers.push(server)
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
  const proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const module = name === "fetch" ? "web" : "node"
  const script = `
    const { createHttp, createNodeHttp } = await import("./broker/adapters/${module}/http.ts")
    const http = (createHttp ?? createNodeHttp)({ userAgent: "test" })
    const request = { method: "GET", url: "https://vendor.example/", timeoutMs: 20000, maxBytes: 1 }
    await http(request).catch((error) => console.log(error.reason))`
  const env = { PATH: process.env["PATH"], NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: proxy }
  const args = ["--input-type=module", "--eval", script]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, cwd: ROOT })
  expect([asked, stdout]).toEqual([["vendor.example:443"], "unreachable\n"])
})

function get(url: string): HttpRequest {
  return { method: "GET", url, timeoutMs: 300_000, maxBytes: 4096 }
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}
