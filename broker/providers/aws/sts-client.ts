import {
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  STSClient,
} from "@aws-sdk/client-sts"
import type { ProviderIo } from "../provider.ts"

const CALL_TIMEOUT_MS = 8_000
const MAX_RESPONSE_BYTES = 64 * 1024

/** The parts of the SDK's request that we use. */
interface SdkRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

/**
 * Sends one AssumeRoleWithWebIdentity through the SDK, over our own HTTP with limits on size and time.
 *
 * This sets each setting that the SDK would otherwise read from the environment, from `~/.aws` or from an instance's metadata
 * service, so the machine does not influence the call. The SDK's retries are off, because only ours know the deadline.
 */
export async function assumeRole(
  at: { readonly region: string; readonly endpoint: string },
  input: AssumeRoleWithWebIdentityCommandInput,
  io: ProviderIo,
) {
  const client = new STSClient({
    region: at.region,
    endpoint: at.endpoint,
    defaultsMode: "standard",
    maxAttempts: 1,
    retryMode: "standard",
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    userAgentAppId: async () => undefined,
    authSchemePreference: [],
    sigv4aSigningRegionSet: [],
    defaultUserAgentProvider: async () => [],
    requestHandler: { handle: (request: SdkRequest) => send(request, io) },
  })
  try {
    return await client.send(new AssumeRoleWithWebIdentityCommand(input))
  } finally {
    client.destroy()
  }
}

async function send(request: SdkRequest, io: ProviderIo) {
  const port = request.port === undefined ? "" : `:${request.port}`
  const response = await io.http({
    method: "POST",
    url: `${request.protocol}//${request.hostname}${port}${request.path}`,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: typeof request.body === "string" || request.body instanceof Uint8Array ? request.body : "",
    timeoutMs: Math.max(1, Math.min(CALL_TIMEOUT_MS, io.remainingMs())),
    maxBytes: MAX_RESPONSE_BYTES,
  })
  const contentType = response.header("content-type")
  const headers: Record<string, string> = contentType === null ? {} : { "content-type": contentType }
  return { response: { statusCode: response.status, headers, body: response.body } }
}
