package foyer

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"example.com/foyer/internal/client"
	"example.com/foyer/internal/fetch"
	"example.com/foyer/internal/oauth"
)

// MetadataDocuments says whose Client ID Metadata Documents are believed: a
// client whose client_id is an https URL describes itself in the document there,
// and needs not register
// (draft-ietf-oauth-client-id-metadata-document). The server fetches the
// document from a public address, in at most 3 seconds and 64 KiB, and keeps it
// for as long as its headers say, between a minute and a day.
//
// The zero value believes every host what it says of clients of its own.
type MetadataDocuments struct {
	// Off refuses client IDs that are URLs, also of clients that are connected.
	Off bool

	// Hosts are those whose documents are believed, such as "claude.ai", without
	// their subdomains. Optional; nil means any.
	Hosts []string

	// Trust is asked about each document URL, before it is fetched and whenever
	// the client comes back. An error refuses, and is shown to nobody. It must be
	// safe for concurrent use. Optional.
	Trust func(context.Context, *url.URL) error

	// DangerouslyFetchFromAnywhere takes documents from loopback and private
	// networks too, from any port, and by plain http: whoever can reach the
	// server can make it ask what only the server reaches. Optional; for
	// development and tests.
	DangerouslyFetchFromAnywhere bool

	roots *x509.CertPool // of a test; nil means the system's
}

func (d MetadataDocuments) check() error {
	var problems []error
	if d.Hosts != nil && len(d.Hosts) == 0 {
		problems = append(problems, errors.New("MetadataDocuments.Hosts: empty; leave it nil for any host, or set Off for none"))
	}
	for _, host := range d.Hosts {
		if uri := "https://" + host + "/x"; oauth.CheckDocumentURL(uri) != nil || oauth.RedirectHost(uri) != host || strings.Contains(host, ":") {
			problems = append(problems, fmt.Errorf("MetadataDocuments.Hosts: %q must be a host alone, in lower case, such as claude.ai", host))
		}
	}
	return errors.Join(problems...)
}

// fetcher reads what strangers name: documents, and the keys of clients.
func (d MetadataDocuments) fetcher() *fetch.Fetcher {
	return fetch.New(fetch.Config{DangerouslyFromAnywhere: d.DangerouslyFetchFromAnywhere, Roots: d.roots})
}

// reader is nil where documents are off.
func (d MetadataDocuments) reader(f *fetch.Fetcher) *client.Documents {
	if d.Off {
		return nil
	}
	return client.NewDocuments(f, client.Trust{Hosts: d.Hosts, Trust: d.Trust, Plain: d.DangerouslyFetchFromAnywhere})
}
