package fetch

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// T40, R-72, X7: addresses of each special range, at its first and its last, and
// those beside it that are public.
func TestT40SpecialAddressesAreNotPublic(t *testing.T) {
	for _, test := range []struct {
		name      string
		addresses string
		want      bool
	}{
		{"this network", "0.0.0.0 0.0.0.1 0.255.255.255", false},
		{"private use", "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255", false},
		{"a carrier's", "100.64.0.0 100.127.255.255", false},
		{"loopback", "127.0.0.0 127.0.0.1 127.255.255.255 ::1", false},
		{"link-local, and the metadata of clouds", "169.254.0.0 169.254.169.254 169.254.255.255 fe80:: fe80::1 febf:ffff::1 fe80::1%eth0", false},
		{"protocol assignments", "192.0.0.0 192.0.0.9 192.0.0.170 192.0.0.255 2001:: 2001:1::1 2001:1ff:ffff::", false},
		{"documentation", "192.0.2.0 192.0.2.255 198.51.100.1 203.0.113.255 2001:db8:: 2001:db8:ffff::1 3fff:: 3fff:fff:ffff::", false},
		{"benchmarks", "198.18.0.0 198.19.255.255 2001:2::1", false},
		{"relays and AS112", "192.88.99.1 192.31.196.1 192.52.193.1 192.175.48.255 2620:4f:8000::1", false},
		{"multicast", "224.0.0.0 239.255.255.255 ff00:: ff02::1 ffff::", false},
		{"reserved and broadcast", "240.0.0.0 255.255.255.254 255.255.255.255", false},
		{"unspecified and discard-only", ":: 100:: 100::ffff 100:0:0:1::1", false},
		{"IPv4, mapped", "::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:1.1.1.1", false},
		{"IPv4, compatible", "::127.0.0.1 ::10.0.0.1 ::7f00:1", false},
		{"IPv4 behind NAT64", "64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b::101:101 64:ff9b:1::a00:1 64:ff9b:1:ffff::1", false},
		{"IPv4 in 6to4", "2002:7f00:1:: 2002:a9fe:a9fe:: 2002:101:101::1", false},
		{"IPv4 in Teredo", "2001:0:7f00:1::1 2001:0:ffff::1", false},
		{"IPv4 in ISATAP", "2606:4700::5efe:7f00:1 2606:4700::200:5efe:a00:1 fe80::5efe:a00:1", false},
		{"IPv4, translated", "::ffff:0:7f00:1", false},
		{"unique local and site-local", "fc00:: fdff:ffff::1 fec0::1 feff::1", false},
		{"segment routing, the 6bone, and what nobody has assigned", "5f00::1 3ffe::1 4000::1 1fff::1 8000::1", false},

		{"public IPv4", "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0", true},
		{"public IPv4 beside others", "172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255", true},
		{"public IPv6", "2606:4700:4700::1111 2a00:1450::1 2001:200::1 2001:4860:4860::8888 2003::1 2400::1 3ffd::1", true},
	} {
		for text := range strings.FieldsSeq(test.addresses) {
			addr := netip.MustParseAddr(text)
			if got := public(addr); got != test.want {
				t.Errorf("%s: public(%s) = %v, want %v", test.name, text, got, test.want)
			}
			if err := checkAddress(netip.AddrPortFrom(addr, 443).String()); (err == nil) != test.want {
				t.Errorf("%s: checkAddress of %s: %v", test.name, text, err)
			}
		}
	}
	for _, address := range []string{"", "x", "1.1.1.1", "app.example:443", "1.1.1.1:x", "/run/socket"} {
		if checkAddress(address) == nil {
			t.Errorf("%q may be dialled", address)
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// T40, R-72: whatever a name or a number in disguise leads to, and whatever a
// resolver answers the second time, nobody connects to a private address. The
// URL is past its own check here, which would refuse most of them before.
func TestT40NoPrivateAddressIsDialled(t *testing.T) {
	const public1, public2 = "1.1.1.1", "2606:4700:4700::1111"
	for _, test := range []struct {
		name    string
		host    string
		answers [][]string // of the resolver, to one look-up after the other
		dialled []string   // that are public
	}{
		{"loopback", "127.0.0.1", nil, nil},
		{"another loopback", "127.8.8.8", nil, nil},
		{"IPv6 loopback", "[::1]", nil, nil},
		{"mapped loopback", "[::ffff:127.0.0.1]", nil, nil},
		{"mapped loopback in hexadecimal", "[::ffff:7f00:1]", nil, nil},
		{"NAT64 of loopback", "[64:ff9b::7f00:1]", nil, nil},
		{"everything", "0.0.0.0", nil, nil},
		{"everything in IPv6", "[::]", nil, nil},
		{"the metadata of a cloud", "169.254.169.254", nil, nil},
		{"this device by name", "localhost", nil, nil},
		{"a decimal number", "2130706433", nil, nil},
		{"a hexadecimal number", "0x7f000001", nil, nil},
		{"octal numbers", "0177.0.0.01", nil, nil},
		{"a short form", "127.1", nil, nil},
		{"a name that leads to loopback", "app.example", nil, nil},
		{"a name that leads to private networks", "app.example", [][]string{{"10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "fd00::1", "fe80::1"}}, nil},
		{"a name that leads to mapped loopback", "app.example", [][]string{{"::ffff:127.0.0.1"}}, nil},
		{"a name that leads to both", "app.example", [][]string{{public1, "127.0.0.1", public2, "::1"}}, []string{public1, public2}},
		{"rebinding: public first, loopback then", "app.example", [][]string{{public1}, {"127.0.0.1"}}, []string{public1}},
		{"rebinding: loopback first", "app.example", [][]string{{"127.0.0.1"}, {public1}}, []string{public1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWeb(t, serves(`{}`))
			if test.answers != nil {
				w.answers["app.example."] = test.answers
			}
			f := w.fetcher(Config{})
			passed := stop(f)
			for range 2 {
				if _, err := f.fetch(t.Context(), "https://"+test.host+":"+w.port()+"/client.json"); err != ErrUnreachable {
					t.Errorf("error = %v, want ErrUnreachable", err)
				}
			}
			if connections, _ := w.came(); connections != 0 {
				t.Errorf("%d connections to a private address", connections)
			}
			var hosts []string
			for _, address := range passed() {
				hosts = append(hosts, netip.MustParseAddrPort(address).Addr().String())
			}
			slices.Sort(hosts)
			if hosts = slices.Compact(hosts); !slices.Equal(hosts, test.dialled) {
				t.Errorf("dialled %q, want %q", hosts, test.dialled)
			}
		})
	}
}

// With the word Dangerously in front, loopback is a place like any other.
func TestAnywhereIsAnywhere(t *testing.T) {
	w := newWeb(t, serves(`{"a":1}`))
	for _, host := range []string{"127.0.0.1", "example.com"} {
		doc, err := w.fetcher(Config{DangerouslyFromAnywhere: true}).Get(t.Context(), "https://"+host+":"+w.port()+"/x")
		if err != nil || string(doc.Body) != `{"a":1}` {
			t.Errorf("%s: %q, %v", host, doc.Body, err)
		}
	}
}
