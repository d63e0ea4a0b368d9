// The entry of the built broker. An older Node is told what it lacks before it reads imports that it does not know.
import "./node-version.js"

await import("./node.ts")
