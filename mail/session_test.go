package mail

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

// from is a connection with some peer, which says nothing.
type from struct {
	net.Conn
	ip string
}

func (f from) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(f.ip), Port: 25} }

func TestPlaintextGoesNowhereElse(t *testing.T) {
	s := SMTP{Addr: "localhost:25", From: sender, DangerouslyPlaintext: true}
	to, err := s.check()
	if err != nil {
		t.Fatal(err)
	}
	for _, ip := range []string{"192.0.2.1", "10.0.0.1", "0.0.0.0", "169.254.1.1", "::", "fe80::1", "::ffff:10.0.0.1"} {
		if _, err := s.open(from{nil, ip}, to); !errors.Is(err, ErrSetup) || !strings.Contains(err.Error(), "Use TLS") {
			t.Errorf("to %s: %v", ip, err)
		}
	}
	for _, ip := range []string{"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"} {
		if !onThisDevice(from{nil, ip}) {
			t.Errorf("%s is not on this device", ip)
		}
	}
}

func TestPort465BeginsWithTLS(t *testing.T) {
	for addr, want := range map[string]bool{"smtp.example.com:465": true, "[2001:db8::1]:465": true, "smtp.example.com:587": false, "smtp.example.com:25": false, "smtp.example.com:4650": false} {
		if to, err := (SMTP{Addr: addr, From: sender}).check(); err != nil || to.implicitTLS != want {
			t.Errorf("%s: TLS from the first byte %v, %v", addr, to.implicitTLS, err)
		}
	}
}

// A server that waits for TLS is told nothing before it.
func TestImplicitTLSIsVerified(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plan := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"smtp.example.com"}}
	der, err := x509.CreateCertificate(rand.Reader, plan, plan, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(certificate)
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	for _, c := range []struct {
		sentence, host string
		roots          *x509.CertPool
		want           bool
	}{
		{"the right server", "smtp.example.com", trusted, true},
		{"another host", "mx.example.com", trusted, false},
		{"an unknown authority", "smtp.example.com", nil, false},
	} {
		s := SMTP{Addr: c.host + ":465", From: sender, RootCAs: c.roots}
		to, err := s.check()
		if err != nil {
			t.Fatal(err)
		}
		client, peer := net.Pipe()
		go func() {
			conn := tls.Server(peer, config)
			defer peer.Close()
			conn.Write([]byte("220 smtp.example.com\r\n"))
			line := make([]byte, 100)
			for n, err := conn.Read(line); err == nil; n, err = conn.Read(line) {
				if string(line[:n]) == "EHLO example.com\r\n" {
					conn.Write([]byte("250 smtp.example.com\r\n"))
				}
			}
		}()
		got, err := s.open(client, to)
		if (err == nil) != c.want || err != nil && !errors.Is(err, ErrSetup) {
			t.Errorf("%s: %v", c.sentence, err)
		}
		if got != nil && err == nil {
			if _, err := got.GetTLSConnectionState(); err != nil {
				t.Errorf("%s: %v", c.sentence, err)
			}
		}
		client.Close()
	}
}
