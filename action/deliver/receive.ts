import { type Credential, readCredentials } from "../answer.ts"
import { masksFor } from "../masks.ts"
import { registerMasks } from "../runner.ts"

/**
 * Reads the credentials of a decrypted answer, and registers their secrets as masks before it resolves.
 * @throws {ActionError} `answer_unusable`
 */
export async function receive(answer: unknown, grants: readonly string[]): Promise<readonly Credential[]> {
  const received = readCredentials(answer, grants)
  const values = received.flatMap((credential) => credential.values)
  await registerMasks(values.flatMap(({ secret, value }) => (secret ? masksFor(value) : [])))
  return received
}
