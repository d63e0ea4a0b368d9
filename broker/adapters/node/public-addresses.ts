import { type LookupAddress, lookup } from "node:dns"
import { BlockList, isIP, type LookupFunction } from "node:net"

/** Addresses of machines, not of the internet (RFC 6890 and its updates; IANA's special-purpose registries). */
const PRIVATE = blockListOf(
  ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15"],
  ["fc00::/7", "fec0::/10"],
)

/** Addresses that no request may have, wherever its host is: this machine, the link with its metadata service, many hosts. */
const NEVER = blockListOf(
  ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4"],
  ["::/128", "::1/128", "fe80::/10", "ff00::/8"],
)

/** Ways to write an IPv4 address in an IPv6 one, with the place of its four bytes. Each reaches that address on some network. */
const TRANSLATED = blockListOf([], ["64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "::/96"])

/** Which addresses a connection may have. `public`: none of a machine or a private network. `private`: those, too. */
export type Reach = "public" | "private"

/** Why an address is refused; null: it may be dialled. `address`: as the resolver or the URL parser writes it. */
export function addressFault(address: string, reach: Reach): string | null {
  const family = isIP(address)
  if (family === 0) return "ADDRESS_UNREADABLE"
  const kind = family === 4 ? "ipv4" : "ipv6"
  // `check` finds an IPv4 address in its IPv6 form (::ffff:127.0.0.1) by the rules for IPv4, too.
  if (NEVER.check(address, kind) || TRANSLATED.check(address, kind)) return "ADDRESS_REFUSED"
  return reach === "public" && PRIVATE.check(address, kind) ? "ADDRESS_PRIVATE" : null
}

/**
 * A lookup that fails when any address of the host is refused. The address that was checked is the one that is dialled: a
 * name whose addresses change between a check and a connection (DNS rebinding) gains nothing.
 */
export function guardedLookup(reach: Reach): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, [])
      const fault = addresses.map(({ address }) => addressFault(address, reach)).find((one) => one !== null)
      if (fault !== undefined) return callback(Object.assign(new Error(fault), { code: fault }), [])
      const [first] = addresses as readonly LookupAddress[]
      if (options.all === true) return callback(null, addresses)
      callback(null, first?.address ?? "", first?.family)
    })
  }
}

function blockListOf(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList()
  for (const [kind, ranges] of [
    ["ipv4", ipv4],
    ["ipv6", ipv6],
  ] as const) {
    for (const range of ranges) {
      const [net = "", bits = "0"] = range.split("/")
      list.addSubnet(net, Number(bits), kind)
    }
  }
  return list
}
