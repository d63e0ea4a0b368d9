// The part of workerd's `node:crypto` that is used here. Node's own types would clash with the platform's.
declare module "node:crypto" {
  export function hash(algorithm: "sha256", data: Uint8Array, outputEncoding: "buffer"): Uint8Array
  export function hash(algorithm: "sha256", data: string, outputEncoding: "base64url"): string
}
