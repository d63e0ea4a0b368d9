import { createServer as createHttpServer } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo, Server, Socket } from "node:net"
import { expect, onTestFinished, test, vi } from "vitest"
import { send } from "../../action/http.ts"
import { granted, play, savedByMain } from "./story.ts"

/** Self-signed for 127.0.0.1, made for this test. No machine trusts it. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBkTCCATagAwIBAgIUB9UpeDr7500XI1kZCqX7P4DDZSMwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMjAxNTYxOVoYDzIxMjYxMDI5
MDE1NjE5WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATUq6REH//wglR8C5t/FQyLQN9QAhdAau06kCfGSZS2kf8Y5jf0KLvg
mKswtTzFkimgdR7JT+s3srqZmeaDdln4o2QwYjAdBgNVHQ4EFgQU1vwL0UuskEtf
V5mavLrUTgBRaWkwHwYDVR0jBBgwFoAU1vwL0UuskEtfV5mavLrUTgBRaWkwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0kAMEYC
IQDg2wkti1MFzPtN13XBh2ksM1ylUwr0+++D986rMIC5EgIhANNn+rWnywrc6gIa
psu2DyBw/IFeCF9A4l7Ia3wLb6o2
-----END CERTIFICATE-----`
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAnEpN4IuZgVH4SMC
Y2mLgW9Dnz/at8RpNi1KMBE/AVWhRANCAATUq6REH//wglR8C5t/FQyLQN9QAhdA
au06kCfGSZS2kf8Y5jf0KLvgmKswtTzFkimgdR7JT+s3srqZmeaDdln4
-----END PRIVATE KEY-----`

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A proxy that records what it can read, and forwards nothing. */
async function startProxy() {
  const seen: string[] = []
  const server = createHttpServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`.trim())
    response.writeHead(502).end()
  })
  server.on("connect", (request, socket) => {
    seen.push(`CONNECT ${request.url} ${request.headers.authorization ?? ""}`.trim())
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n")
  })
  const url = `http://127.0.0.1:${await listening(server)}`
  return { seen, env: { HTTP_PROXY: url, http_proxy: url, HTTPS_PROXY: url, https_proxy: url } }
}

test("plain HTTP, allowed to loopback only, never goes through a proxy that could read the bearer", async () => {
  const proxy = await startProxy()
  const { run } = await play(granted(), { env: () => proxy.env })
  expect(run.env).toMatchObject({ AWS_ACCESS_KEY_ID: "AKIAEXAMPLE" })
  expect(proxy.seen).toEqual([])
})

test("TLS goes through the runner's proxy as a tunnel that the proxy cannot read", async () => {
  const proxy = await startProxy()
  const broker = "https://daypass.example.com"
  const { run } = await play([{ on: "token" }, { on: "token" }, { on: "token" }], {
    inputs: { broker },
    audience: broker,
    env: () => proxy.env,
  })
  expect(run.exitCode).toBe(1)
  expect(new Set(proxy.seen)).toEqual(new Set(["CONNECT daypass.example.com:443"]))
})

test("a request that a proxy never passes on counts as not sent, and one without an answer as sent", async () => {
  const sockets: Socket[] = []
  const keep = (_: unknown, socket: Socket) => void sockets.push(socket)
  const port = await listening(createHttpServer(() => {}).on("connect", keep))
  onTestFinished(() => {
    vi.unstubAllEnvs()
    for (const socket of sockets) socket.destroy()
  })
  const faultOf = (origin: string) => {
    const url = new URL("/v1/exchange", origin)
    return send({ method: "POST", url, bearer: "x", accept: "x", json: {}, timeoutMs: 300 }).catch(({ fault }) => fault)
  }
  vi.stubEnv("HTTPS_PROXY", `http://127.0.0.1:${port}`)
  expect(await faultOf("https://daypass.example.com")).toBe("unconnected")
  expect(await faultOf(`http://127.0.0.1:${port}`)).toBe("timeout")
})

test("an untrusted certificate is refused, even when the environment disables the check", async () => {
  const seen: string[] = []
  const server = createTlsServer({ cert: CERTIFICATE, key: KEY }, (request, response) => {
    seen.push(String(request.url))
    response.end()
  })
  const broker = `https://127.0.0.1:${await listening(server)}`
  const { run } = await play([{ on: "token" }], {
    inputs: { broker },
    audience: broker,
    env: () => ({ NODE_TLS_REJECT_UNAUTHORIZED: "0" }),
  })
  expect(run.log).toContain("broker_tls")
  expect(seen).toEqual([])
})

test("a saved lease of a remote broker without TLS gets no token over plain HTTP", async () => {
  const state = () => savedByMain("http://daypass.example.com")
  const { run } = await play([{ on: "token" }], { entry: "post", audience: "http://daypass.example.com", state })
  expect(run.exitCode).toBe(0)
  expect(run.log).toContain("could not be revoked")
})
