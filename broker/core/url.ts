const LOOPBACK_IPV4 = /^127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/

/**
 * True for an absolute https URL, and for an http one whose host is this very machine: 127.0.0.0/8, `[::1]` or
 * `localhost`. URLs with credentials are refused whatever their scheme.
 *
 * Whoever stands between us and an issuer or a provider over plain http can forge its keys and read its tokens; on
 * loopback there is nobody between. The host is judged as the URL parser normalised it, which is how it will be
 * dialled: `http://127.1/` is loopback, `http://127.0.0.1.example/` and `http://localhost.example/` are not.
 */
export function isHttpsOrLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false
  const parsed = new URL(url)
  if (parsed.username !== "" || parsed.password !== "") return false
  return parsed.protocol === "https:" || (parsed.protocol === "http:" && isLoopbackHost(parsed.hostname))
}

/** Whether a host is this very machine. `hostname` as a URL has it: lower case, IPv4 in four decimal parts, IPv6 in brackets and compressed. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || LOOPBACK_IPV4.test(hostname)
}
