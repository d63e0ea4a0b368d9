// Replaces, in the Worker's bundle, parts that the STS client imports and `providers/aws` does not use: event streams, and
// signing requests. The broker's one operation, AssumeRoleWithWebIdentity, is not signed and streams nothing. So nothing
// here is ever called.

const missing = (): never => {
  throw new Error("this part of the STS client is not in the bundle")
}

/** For @smithy/core/event-streams. */
export class EventStreamSerde {
  constructor() {
    missing()
  }
}

/** For @smithy/signature-v4. The client makes one, and never signs. */
export class SignatureV4 {
  readonly sign = missing
  readonly presign = missing
}
export const signatureV4aContainer = { SignatureV4a: null }
