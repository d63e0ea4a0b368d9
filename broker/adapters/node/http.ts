import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http"
import { globalAgent, Agent as HttpsAgent, request as httpsRequest } from "node:https"
import { isIP } from "node:net"
import type { Readable, Transform } from "node:stream"
import { constants, createBrotliDecompress, createGunzip, createInflate } from "node:zlib"
import { isLoopbackHost } from "../../core/url.ts"
import { type Http, HttpError, type HttpRequest, type HttpResponse } from "../../ports/http.ts"
import type { HttpOptions } from "../web/http.ts"
import { causeOf, hasHeader, joined, refusalOf, requireAllowed } from "../web/http-rules.ts"
import { addressFault, guardedLookup } from "./public-addresses.ts"

/** A connection that is kept longer is more and more often closed by its server while the next request is on its way. */
const IDLE_MS = 4_000
/** Of one host. More requests wait for a connection, and count the wait against their timeout. */
const MAX_CONNECTIONS = 256
const MAX_IDLE_CONNECTIONS = 64

/**
 * The Http port with Node's own client, which takes a fraction of the time that `fetch` does.
 *
 * The same as `createHttp` of `adapters/web`: the same URLs, limits, refusals and errors. Keeps connections open for 4 s.
 * It never repeats a request, not even when the server closes a kept connection as the request arrives: a token that was
 * minted in that moment would live on, and a second one would be minted.
 * @throws {HttpError}
 */
export function createNodeHttp({ userAgent, reach }: HttpOptions): Http {
  const settings = {
    keepAlive: true,
    timeout: IDLE_MS,
    maxSockets: MAX_CONNECTIONS,
    maxFreeSockets: MAX_IDLE_CONNECTIONS,
    // Node gives its own agents a proxy only if it was started with one (NODE_USE_ENV_PROXY).
    ...proxyOf(globalAgent),
  }
  const agents = { "http:": new HttpAgent(settings), "https:": new HttpsAgent(settings) }

  return async (request) => {
    requireAllowed(request)
    const url = new URL(request.url)
    const isHere = isLoopbackHost(url.hostname)
    const options = {
      method: request.method,
      headers: headersOf(request, userAgent),
      ...(reach === undefined || isHere ? {} : { lookup: guardedLookup(reach) }),
    }
    try {
      // An address in the URL itself is dialled without a lookup.
      const written = url.hostname.replace(/^\[|\]$/g, "")
      const fault = reach === undefined || isHere || isIP(written) === 0 ? null : addressFault(written, reach)
      if (fault !== null) throw Object.assign(new Error(fault), { code: fault })
      // A header that cannot be sent is an error here, and not of the request.
      const sending =
        url.protocol === "https:"
          ? httpsRequest(url, { ...options, agent: agents["https:"] })
          : httpRequest(url, { ...options, agent: agents["http:"] })
      return await answerTo(sending, request)
    } catch (error) {
      throw error instanceof HttpError ? error : new HttpError("unreachable", causeOf(error))
    }
  }
}

const proxyOf = ({ options }: HttpsAgent) => (options.proxyEnv === undefined ? {} : { proxyEnv: options.proxyEnv })

function headersOf(request: HttpRequest, userAgent: string): Record<string, string | number> {
  return {
    // Answers are small: unpacking one costs more than its bytes do.
    "accept-encoding": "identity",
    ...(hasHeader(request, "user-agent") ? {} : { "user-agent": userAgent }),
    ...request.headers,
    // Node does not send the length of a DELETE's body by itself.
    ...(request.body === undefined ? {} : { "content-length": Buffer.byteLength(request.body) }),
  }
}

/** Sends the request and reads the answer. */
function answerTo(sending: ClientRequest, request: HttpRequest): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const stop = (reason: unknown) => {
      clearTimeout(timer)
      reject(reason)
      sending.destroy()
    }
    // One timer for all: the wait for a connection, the server's silence, and a body that stalls.
    const timer = setTimeout(() => stop(new HttpError("timeout")), request.timeoutMs)
    let isAnswered = false
    sending.on("error", stop)
    sending.on("close", () => isAnswered || stop(new HttpError("unreachable")))
    sending.on("response", (response) => {
      isAnswered = true
      const { statusCode: status = 0, headers } = response
      const refusal = refusalOf(request, status, headers["content-length"] ?? null)
      if (refusal !== null) return stop(refusal)
      readBody(response, request.maxBytes, stop, (body) => {
        clearTimeout(timer)
        resolve({ status, header: (name) => headerOf(response, name), body })
      })
    })
    sending.end(request.body)
  })
}

/** Counts the decompressed bytes that arrive: `Content-Length` can be wrong, missing, or the compressed size of a bomb. */
function readBody(
  response: IncomingMessage,
  maxBytes: number,
  stop: (reason: unknown) => void,
  done: (body: Uint8Array) => void,
): void {
  const chunks: Uint8Array[] = []
  let size = 0
  const unpacking = UNPACKING[response.headers["content-encoding"]?.toLowerCase() ?? ""]?.()
  const body: Readable = unpacking === undefined ? response : response.pipe(unpacking)
  const refuse = (reason: unknown) => {
    body.destroy()
    stop(reason)
  }
  response.on("error", refuse)
  unpacking?.on("error", refuse)
  body.on("data", (chunk: Uint8Array) => {
    size += chunk.byteLength
    if (size > maxBytes) return refuse(new HttpError("too-large"))
    chunks.push(chunk)
  })
  body.on("end", () => done(joined(chunks, size)))
}

/** As `fetch` does: a body without its end is no error by itself, since an answer without a body may name a compression. */
const ZLIB = { finishFlush: constants.Z_SYNC_FLUSH }
const BROTLI = { finishFlush: constants.BROTLI_OPERATION_FLUSH }

/** Some servers compress what they are asked not to. */
const UNPACKING: Readonly<Record<string, () => Transform>> = {
  __proto__: null as never,
  gzip: () => createGunzip(ZLIB),
  "x-gzip": () => createGunzip(ZLIB),
  deflate: () => createInflate(ZLIB),
  br: () => createBrotliDecompress(BROTLI),
}

function headerOf({ headers }: IncomingMessage, name: string): string | null {
  const key = name.toLowerCase()
  const value = Object.hasOwn(headers, key) ? headers[key] : undefined
  return value === undefined ? null : String(value)
}
