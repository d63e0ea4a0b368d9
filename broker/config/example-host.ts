/** Whether a host is reserved for examples (RFC 2606), such as the placeholder in `wrangler.toml`. */
export function isExampleHost(host: string): boolean {
  return /(?:^|\.)(?:example(?:\.(?:com|net|org))?|invalid)$/i.test(host)
}
