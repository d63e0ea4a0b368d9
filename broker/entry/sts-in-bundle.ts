// Replaces, in the Worker's bundle, `@smithy/core/event-streams`, which the STS client imports when an operation streams
// events. The operations of `providers/aws` do not, so nothing here is ever called.

export class EventStreamSerde {
  constructor() {
    throw new Error("event streams are not in the bundle")
  }
}
