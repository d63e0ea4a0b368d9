/** Whether a host is one that nobody can own (RFC 2606), such as the placeholder in `wrangler.toml`. */
export function isExampleHost(host: string): boolean {
  return /(?:^|\.)(?:example(?:\.(?:com|net|org))?|invalid)$/i.test(host)
}
