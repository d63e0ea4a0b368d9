// What `daypass serve` loads. An older Node is told what it lacks before it reads imports that it does not know.
import "./node-version.js"

/** Starts the broker: see `serve` in node.ts. */
export async function serve(args: readonly string[]): Promise<void> {
  await (await import("./node.ts")).serve(args)
}
