import {
  AssumeRoleWithWebIdentity$ as ASSUME_ROLE,
  type AssumeRoleWithWebIdentityCommandInput,
  type AssumeRoleWithWebIdentityCommandOutput,
  errorTypeRegistries,
} from "@aws-sdk/client-sts"
import { AwsQueryProtocol } from "@aws-sdk/core/protocols"
import type { ProviderIo } from "../provider.ts"

const CALL_TIMEOUT_MS = 8_000
const MAX_RESPONSE_BYTES = 64 * 1024

/** What the SDK's client of STS tells the protocol. A test compares the two clients. */
const STS = {
  defaultNamespace: "com.amazonaws.sts",
  xmlNamespace: "https://sts.amazonaws.com/doc/2011-06-15/",
  version: "2011-06-15",
} as const

/**
 * Sends one AssumeRoleWithWebIdentity, over our own HTTP with limits on size and time.
 *
 * The SDK writes the form and reads the XML, from its description of the call and of STS's errors. We do not use its client:
 * the client signs, retries and looks for endpoints. This call needs none of that, and it was 31 KB of the Worker's bundle
 * after gzip. Nothing here reads the environment, `~/.aws` or an instance's metadata service.
 *
 * @throws {Error} when STS refuses or its answer cannot be read: the SDK's error, with the HTTP status in `$metadata`, and with
 * STS's code as its `name` if there is one
 * @throws {HttpError} when there is no answer
 */
export async function assumeRole(
  endpoint: string,
  input: AssumeRoleWithWebIdentityCommandInput,
  io: Pick<ProviderIo, "http" | "remainingMs">,
): Promise<AssumeRoleWithWebIdentityCommandOutput> {
  const [, namespace, name, traits, inputSchema, outputSchema] = ASSUME_ROLE
  const operation = { namespace, name, traits, input: inputSchema, output: outputSchema }
  const protocol = new AwsQueryProtocol({ ...STS, errorTypeRegistries })
  const { protocol: scheme, hostname, pathname, origin } = new URL(endpoint)
  const context = { ...UNUSED, endpoint: async () => ({ protocol: scheme, hostname, path: pathname }) }

  const request = await protocol.serializeRequest(operation, input, context)
  const response = await io.http({
    method: "POST",
    url: `${origin}${request.path}`,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: request.body,
    timeoutMs: Math.max(1, Math.min(CALL_TIMEOUT_MS, io.remainingMs())),
    maxBytes: MAX_RESPONSE_BYTES,
  })
  const answer = { statusCode: response.status, headers: {}, body: response.body }
  try {
    return await protocol.deserializeResponse(operation, context, answer)
  } catch (error) {
    // If the answer is not XML, such as a proxy's page, the SDK throws before it notes the status.
    if (error instanceof Error && !("$metadata" in error)) {
      throw Object.assign(error, { $metadata: { httpStatusCode: response.status } })
    }
    throw error
  }
}

const unused = (): never => {
  throw new Error("STS has no streams and no binary values")
}

/** The SDK's types ask for these. It calls them for streams and binary values only. */
const UNUSED = {
  base64Encoder: unused,
  base64Decoder: unused,
  utf8Encoder: unused,
  utf8Decoder: unused,
  streamCollector: unused,
}
