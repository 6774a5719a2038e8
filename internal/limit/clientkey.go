package limit

import "net/netip"

// ClientKey is what a client's address is counted under: an IPv4 address for
// itself, also where it is written as an IPv6 one, and an IPv6 address for its
// network of 64 bits, all of which one host may have. Whatever is no address
// has one key together.
func ClientKey(addr netip.Addr) string {
	addr = addr.Unmap()
	if !addr.Is6() {
		return addr.String()
	}
	network, _ := addr.Prefix(64) // fails for no address of 128 bits
	return network.String()
}
