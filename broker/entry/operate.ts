// What operators use, and the objects that work for them. At the edge, this file and what it alone imports are modules of their
// own, which an isolate loads for the first request of an operator: an isolate that serves jobs alone never has them.
export { keepOwnKeys } from "../operate/keys.ts"
export { createDirectoryWork } from "./edge-follower.ts"
export { createEdgeOperateApp } from "./edge-operate.ts"
