package fetch

import (
	"errors"
	"net/netip"
)

var errNotPublic = errors.New("fetch: the address is not public")

// checkAddress refuses an IP address and port that are not on the public
// internet. One that cannot be read is not.
func checkAddress(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !public(ap.Addr()) {
		return errNotPublic
	}
	return nil
}

// public reports whether addr is an ordinary address of the internet: none of a
// special-purpose registry (RFC 6890), globally reachable or not, no multicast,
// and none that carries an IPv4 address, behind which a gateway may find a
// private one. Of IPv6, only what IANA hands out counts (2000::/3), so that
// nothing new opens a door by itself.
func public(addr netip.Addr) bool {
	if !addr.IsValid() || addr.Zone() != "" || addr.Is6() && !unicast6.Contains(addr) || isISATAP(addr) {
		return false
	}
	for _, special := range specials {
		if special.Contains(addr) {
			return false
		}
	}
	return true
}

var unicast6 = netip.MustParsePrefix("2000::/3")

// specials are the special-purpose addresses of IPv4, and those of IPv6 within
// [unicast6], from the registries of IANA as of 2026-11. Outside lie, among
// others, ::1, ::/96 (compatible), ::ffff:0:0/96 (mapped), 64:ff9b::/96 and
// 64:ff9b:1::/48 (NAT64), 100::/64, 5f00::/16, fc00::/7, fe80::/10, fec0::/10
// and ff00::/8.
var specials = prefixes(
	"0.0.0.0/8",       // this network
	"10.0.0.0/8",      // private use
	"100.64.0.0/10",   // shared by a carrier's customers
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local; the metadata of clouds
	"172.16.0.0/12",   // private use
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.31.196.0/24", // AS112
	"192.52.193.0/24", // AMT
	"192.88.99.0/24",  // 6to4 relays, deprecated
	"192.168.0.0/16",  // private use
	"192.175.48.0/24", // AS112
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, and broadcast

	"2001::/23",         // protocol assignments: Teredo, benchmarks, ORCHID, DRIP
	"2001:db8::/32",     // documentation
	"2002::/16",         // 6to4
	"2620:4f:8000::/48", // AS112
	"3ffe::/16",         // the 6bone, given back
	"3fff::/20",         // documentation
)

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// isISATAP reports whether the interface identifier of addr holds an IPv4
// address (RFC 5214 section 6.1), whatever its prefix is.
func isISATAP(addr netip.Addr) bool {
	b := addr.As16()
	return addr.Is6() && b[8]&^0x03 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}
