// Replaces `@smithy/core/event-streams` in the Worker's bundle. AWS's SDK imports it for calls that stream. STS has no such call,
// so this is never imported: 5 KB less after gzip.

throw new Error("calls that stream are not in the bundle")
